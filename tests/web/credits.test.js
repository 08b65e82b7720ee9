import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allCredits, creditLine, creditTitle } from '../../server/web/assets/lib/credits.js';
import {
  amountsText,
  doneSentence,
  modelSentences,
  siteFrom,
} from '../../server/web/assets/lib/removal-words.js';
import { siteOf } from '../../server/web/assets/lib/format.js';

const credit = (more) => ({
  image_id: 'I',
  sha256: '',
  label: 'grizzly',
  title: 'A bear\nat home',
  url: 'https://img.example/a.jpg',
  source_url: 'https://bears.example/page',
  page_url: 'https://search.example/',
  site: 'bears.example',
  license: 'CC BY 4.0',
  ...more,
});

test('a credit is one line, whatever a page has put into it', () => {
  assert.equal(
    creditLine(credit()),
    '“A bear at home”, https://bears.example/page, licence: CC BY 4.0, label: grizzly',
  );
  const bare = credit({
    title: ' ',
    source_url: 'javascript:alert(1)',
    page_url: null,
    license: null,
    label: null,
  });
  assert.equal(creditLine(bare), '“img.example”, https://img.example/a.jpg, licence not known');
  assert.equal(
    creditTitle(credit({ title: null, source_url: null, page_url: null, url: null })),
    'An upload',
  );
});

test('all pages are read, and a list that never ends is not read for ever', async () => {
  const asked = [];
  const steps = [];
  const load = async (cursor) => {
    asked.push(cursor);
    const page = asked.length;
    const items = page <= 2 ? [credit({ title: String(page) })] : [];
    return { items, next_cursor: 'more', total: 2 };
  };
  const text = await allCredits(load, (done, total) => steps.push([done, total]));
  assert.deepEqual(asked, [null, 'more', 'more']);
  assert.deepEqual(steps, [
    [1, 2],
    [2, 2],
    [2, 2],
  ]);
  assert.equal(text.split('\n').length, 3);
});

test('a site is its host, however it is given', () => {
  assert.equal(siteFrom(' Example.ORG '), 'example.org');
  assert.equal(siteFrom('https://www.example.org:8443/a?b'), 'www.example.org');
  assert.equal(siteFrom('example.org/a/b'), 'example.org');
  assert.equal(siteOf('https://Img.Example:8443/a.jpg'), 'img.example');
  assert.equal(siteOf('http://[2001:db8::1]/a.jpg'), '2001:db8::1');
  assert.equal(siteOf('nothing'), null);
  assert.equal(siteOf(null), null);
});

test('what a removal takes is said in numbers, and which models learnt from it by stage', () => {
  const amounts = { images: 12, captures: 1, blobs: 11, bytes: 3_400_000 };
  assert.equal(
    amountsText(amounts),
    '12 images, 1 capture that becomes empty, 11 files (3.4\u00a0MB)',
  );
  assert.equal(amountsText({ images: 1, captures: 0, blobs: 0, bytes: 0 }), '1 image');
  const models = [
    { stage: 'retired', images: 3 },
    { stage: 'live', images: 5 },
    { stage: 'retired', images: 7 },
  ];
  assert.deepEqual(modelSentences(models), [
    'Live: 1 model, trained on up to 5 images of it',
    'Retired: 2 models, trained on up to 7 images of it',
  ]);
  assert.match(doneSentence({ site: 'a.example', ...amounts }), /12 images of a\.example removed/);
  assert.equal(
    doneSentence({ site: 'a.example', ...amounts, images: 0 }),
    'There was nothing of a.example.',
  );
});
