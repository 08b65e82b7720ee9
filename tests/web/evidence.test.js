import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neighbourList } from '../../server/web/assets/components/evidence.js';

test('training images come with their labels, a link and how alike they are', () => {
  const list = neighbourList({
    state: 'found',
    neighbours: [
      { image_id: 'I1', sha256: 'a', label: 'grizzly', similarity: 0.912 },
      { image_id: 'I2', sha256: 'b', label: '<b>teddy', similarity: -0.1 },
    ],
  });
  const items = [...list.querySelectorAll('li')];
  assert.deepEqual(
    items.map((item) => item.textContent),
    ['grizzly0.91', '<b>teddy-0.10'],
  );
  assert.equal(items[0]?.querySelector('a')?.getAttribute('href'), '#/images/I1');
  assert.equal(items[1]?.querySelector('img')?.getAttribute('src'), '/api/v1/images/I2/thumbnail');
});

test('that there are none is said in words', () => {
  for (const state of ['none', 'found']) {
    const said = neighbourList({ state, neighbours: [] });
    assert.match(said.textContent ?? '', /cannot tell/);
  }
});
