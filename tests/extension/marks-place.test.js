/** Where marks lie, and which the arrow keys lead to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNext, measure } from '../../extension/content/overlay/place.js';

const ORIGIN = { left: -10, top: 100 };

/** Stand for an element that is laid out, which happy-dom does not do. */
function element(left, top, width, height, { tagName = 'DIV', picture = null } = {}) {
  const rect = { left, top, width, height, right: left + width, bottom: top + height };
  return { tagName, getBoundingClientRect: () => rect, querySelector: () => picture };
}

test('a mark lies over the picture of its tile, on whole pixels', () => {
  const picture = element(20.4, 130.6, 180.2, 120);
  const tile = element(10, 110, 200, 260, { picture });
  assert.deepEqual(measure(tile, ORIGIN), { x: 30, y: 31, width: 180, height: 120 });
});

test('where the picture is small or missing, a mark lies over the tile; where nothing is shown, none does', () => {
  const box = { x: 20, y: 10, width: 200, height: 260 };
  const portrait = element(10, 110, 32, 32);
  assert.deepEqual(measure(element(10, 110, 200, 260, { picture: portrait }), ORIGIN), box);
  assert.deepEqual(measure(element(10, 110, 200, 260), ORIGIN), box);
  assert.deepEqual(measure(element(10, 110, 200, 260, { tagName: 'IMG' }), ORIGIN), box);
  assert.equal(measure(element(0, 0, 0, 0), ORIGIN), null);
});

test('arrow keys walk in page order and from row to row, and stop at the ends', () => {
  // Two rows of three, the second shifted and higher, and a tile that is not shown.
  const tiles = [
    element(0, 0, 100, 80),
    element(110, 0, 100, 80),
    element(220, 0, 100, 80),
    element(20, 90, 100, 120),
    element(130, 90, 100, 120),
    element(0, 0, 0, 0),
  ];
  const walk = (from, key) => tiles.indexOf(findNext(tiles, tiles[from], key));
  const rows = [
    [0, 'ArrowRight', 1],
    [2, 'ArrowRight', 3],
    [0, 'ArrowLeft', -1],
    [3, 'ArrowLeft', 2],
    [1, 'ArrowDown', 4],
    [2, 'ArrowDown', 4],
    [3, 'ArrowUp', 0],
    [1, 'ArrowUp', -1],
    [4, 'ArrowDown', -1],
    [4, 'Home', 0],
    [1, 'End', 5],
    [1, 'x', -1],
  ];
  for (const [from, key, to] of rows) assert.equal(walk(from, key), to, `${from} ${key}`);
});
