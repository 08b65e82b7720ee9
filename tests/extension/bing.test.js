import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bing } from '../../extension/content/sites/bing.js';
import { scan } from '../../extension/content/sites/index.js';
import { openFixture } from './support/pages.js';

test('bing reads original, source page, thumbnail, title, size and rank', () => {
  const { document, location } = openFixture('bing-results.html');
  const [first, second, third, fourth] = bing.findCandidates(document, [], location).candidates;
  assert.deepEqual(first, {
    url: 'https://birds.example/full/1.jpg',
    source_url: 'https://birds.example/page/1',
    thumbnail_url: 'https://thumbs.example/th?id=OIP.1&pid=15.1',
    title: 'Satin bowerbird 1',
    width: 1600,
    height: 1200,
    rank: 0,
    license: null,
  });
  assert.equal(second.title, '<b>Tooth-billed</b> & "friends"');
  assert.deepEqual([third.url, third.width], ['http://birds.example/full/3.png?v=2&w=9', null]);
  // The fourth tile repeats the first; the fifth has no `turl` and shows its thumbnail instead.
  assert.deepEqual([fourth.rank, fourth.url], [3, 'https://birds.example/full/5.jpg']);
  assert.equal(fourth.thumbnail_url, 'https://thumbs.example/shown-5.jpg');
});

test('bing lets no address but http(s) through, nor impossible sizes', () => {
  const { document, location } = openFixture('bing-broken.html');
  const { candidates } = bing.findCandidates(document, [], location);
  assert.deepEqual(
    candidates.map(({ url, source_url, thumbnail_url, width, height }) => [
      url,
      source_url,
      thumbnail_url,
      width,
      height,
    ]),
    [
      [
        'https://birds.example/full/1.jpg',
        'https://birds.example/page/1',
        'https://thumbs.example/th?id=OIP.1&pid=15.1',
        1600,
        1200,
      ],
      ['https://birds.example/full/7.jpg', null, null, null, 1],
    ],
  );
});

test('bing’s own full copy stands in for an original without an address, a thumbnail never', () => {
  const { document, location } = openFixture('bing-cached.html');
  assert.deepEqual(
    bing.findCandidates(document, [], location).candidates.map(({ url }) => url),
    ['https://th.bing.com/th/id/R.0a1b?rik=x&pid=ImgRaw&r=0', 'https://birds.example/full/3.jpg'],
  );
});

test('a page without results is not taken for Bing’s under another address', () => {
  const { document, location } = openFixture('bing-empty.html');
  const page = scan(document, [], location);
  assert.deepEqual([page.origin.engine, page.origin.query], ['generic', 'qqqqzz']);
  assert.deepEqual([page.site, page.state, page.candidates], [null, 'nothing-found', []]);
});

test('a scan says where and how the results were found', () => {
  const { document, location } = openFixture(
    'bing-results.html',
    'https://www.bing.com/images/search?q=satin+bowerbird',
  );
  assert.deepEqual(scan(document, [], location).origin, {
    engine: 'bing',
    query: 'satin bowerbird',
    page_url: 'https://www.bing.com/images/search?q=satin+bowerbird',
    page_title: 'satin bowerbird - Search Images',
  });
});
