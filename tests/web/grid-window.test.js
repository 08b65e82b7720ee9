import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GAP_PX,
  indexAfter,
  layoutFor,
  rowCount,
  scrollToShow,
  TILE_MIN_PX,
  windowFor,
} from '../../server/web/assets/lib/grid-window.js';

test('columns share the width, none is narrower than a tile may be', () => {
  for (let width_px = TILE_MIN_PX; width_px < 3000; width_px += 7) {
    const { columns, tile_px } = layoutFor(width_px);
    assert.ok(Math.abs(columns * tile_px + (columns - 1) * GAP_PX - width_px) < 1e-6);
    assert.ok(tile_px >= TILE_MIN_PX);
    assert.ok(tile_px < 2 * TILE_MIN_PX + GAP_PX);
  }
  assert.equal(layoutFor(50).columns, 1, 'a window that is too narrow has one column');
});

test('the rows of the window, with some beyond both edges', () => {
  const rows = rowCount(100_000, 6);
  assert.equal(rows, 16_667);
  const at = (hidden_px) => windowFor({ hidden_px, viewport_px: 900, row_px: 200, rows });
  assert.deepEqual(at(-300), { first: 0, end: 6 }, 'the grid begins below the top');
  assert.deepEqual(at(20_000), { first: 97, end: 108 });
  assert.deepEqual(at(rows * 200 - 900), { first: rows - 8, end: rows });
  assert.deepEqual(at(rows * 200 + 9000), { first: rows, end: rows }, 'scrolled past its end');
  assert.deepEqual(windowFor({ hidden_px: 0, viewport_px: 900, row_px: 200, rows: 0 }), {
    first: 0,
    end: 0,
  });
});

test('keys move as on a sheet of paper and stop at its edges', () => {
  // 0 1 2 3
  // 4 5 6 7
  // 8 9
  const grid = { columns: 4, total: 10, pageRows: 2 };
  const rows = [
    ['ArrowRight', 3, 4],
    ['ArrowRight', 9, 9],
    ['ArrowLeft', 0, 0],
    ['ArrowDown', 1, 5],
    ['ArrowDown', 6, 9], // the last row is too short
    ['ArrowDown', 8, 8],
    ['ArrowUp', 2, 2],
    ['ArrowUp', 9, 5],
    ['Home', 7, 0],
    ['End', 2, 9],
    ['PageDown', 1, 5],
    ['PageDown', 7, 7],
    ['PageUp', 9, 5],
    ['PageUp', 3, 3],
  ];
  for (const [key, from, to] of rows)
    assert.equal(indexAfter(key, from, grid), to, `${key} ${from}`);
  assert.equal(indexAfter('x', 3, grid), null);
  assert.equal(indexAfter('End', 0, { ...grid, total: 0 }), null);
});

test('a row is scrolled into the free part of the window, and no farther', () => {
  const show = (top_px) => scrollToShow({ top_px, height_px: 200, above_px: 60, below_px: 800 });
  assert.equal(show(60), 0);
  assert.equal(show(600), 0);
  assert.equal(show(650), 50);
  assert.equal(show(10), -50);
  assert.equal(
    scrollToShow({ top_px: 100, height_px: 900, above_px: 60, below_px: 800 }),
    40,
    'of a row higher than the window the top is shown',
  );
});
