import './support/dom.js';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Problem } from '../../server/web/assets/lib/api.js';
import {
  baselineTitle,
  explainError,
  explainObtained,
  explainReason,
} from '../../server/web/assets/lib/explain.js';
import { explainFailure } from '../../server/web/assets/components/classify-failure.js';

/** The server's closed list, from its source. */
async function readReasons() {
  const source = await readFile(new URL('../../server/reasons.py', import.meta.url), 'utf8');
  return [...source.matchAll(/^ {4}[A-Z_]+ = "([a-z-]+)"$/gm)].map((match) => match[1]);
}

test('every reason of the server has a sentence', async () => {
  const reasons = await readReasons();
  assert.ok(reasons.length >= 16);
  for (const reason of reasons) {
    const { title, text } = explainReason(reason);
    assert.notEqual(title, reason);
    assert.ok(text.length > 20, reason);
  }
});

test('every way of the server to get bytes has words', async () => {
  const source = await readFile(new URL('../../server/db/models.py', import.meta.url), 'utf8');
  const ways = source.match(/class ObtainedBy[^]*?\n\n\n/)?.[0].matchAll(/= "([a-z-]+)"/g) ?? [];
  const words = [...ways].map(([, way]) => explainObtained({ obtained_by: way, http_status: 200 }));
  assert.equal(words.length, 4);
  for (const each of words) assert.match(each, /fetched|uploaded/);
  assert.equal(explainObtained({ obtained_by: null, http_status: 403 }), null);
  assert.match(explainObtained({ obtained_by: 'browser', http_status: 403 }), /session.*403$/);
  assert.doesNotMatch(explainObtained({ obtained_by: 'upload', http_status: null }), /null/);
});

test('what is not known yet is still named', () => {
  assert.equal(explainReason('from-the-future').title, 'from-the-future');
  assert.equal(explainReason(null).title, 'Unknown reason');
  assert.equal(baselineTitle('nearest_neighbour'), 'Nearest neighbour');
});

test('an error is told in its own words', () => {
  assert.equal(explainError(new Error('broken')), 'broken');
  const detail = 'there are 0 images';
  const refusal = new Problem({ slug: 'x', title: '', status: 409, detail, members: {} });
  assert.equal(explainError(refusal), 'There are 0 images.');
  assert.equal(explainError('odd'), 'Something went wrong.');
});

test('an image that cannot be had is explained by its reason', () => {
  const fields = { slug: 'image-not-usable', title: '', status: 422, detail: 'no' };
  const told = explainFailure(new Problem({ ...fields, members: { reason: 'timeout' } }));
  assert.match(told.map((part) => part.textContent ?? part).join(''), /Too slow\. .*in time/);
  assert.deepEqual(explainFailure(new Problem({ ...fields, members: {} })), ['No.']);
});
