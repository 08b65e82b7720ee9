import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FILTERS, passes } from '../../extension/lib/filters.js';

// width, height, filters, whether it passes
const CASES = [
  [1, 1, {}, true],
  [640, 480, { min_side_px: 480 }, true],
  [640, 479, { min_side_px: 480 }, false],
  [479, 640, { min_side_px: 480 }, false],
  [null, null, { min_side_px: 480, shape: 'square' }, true],
  [200, null, { min_side_px: 480 }, false],
  [800, null, { min_side_px: 480, shape: 'portrait' }, true],
  [640, 480, { shape: 'landscape' }, true],
  [640, 480, { shape: 'square' }, false],
  [500, 480, { shape: 'square' }, true],
  [480, 640, { shape: 'portrait' }, true],
  [640, 480, { shape: 'portrait' }, false],
  [1000, 500, { shape: 'moderate' }, true],
  [1001, 500, { shape: 'moderate' }, false],
  [500, 1001, { shape: 'moderate' }, false],
  [640, 480, { shape: 'of a later version' }, true],
];
for (const [width, height, filters, expected] of CASES) {
  test(`${width}×${height} with ${JSON.stringify(filters)}: ${expected}`, () => {
    assert.equal(passes({ width, height }, { ...NO_FILTERS, ...filters }), expected);
  });
}

test('every size is of a shape, and hardly one of two', () => {
  const shapes = ['landscape', 'square', 'portrait'];
  const sizes = Array.from({ length: 300 }, (_, index) => ({ width: index + 1, height: 100 }));
  const counts = sizes.map(
    (size) => shapes.filter((shape) => passes(size, { ...NO_FILTERS, shape })).length,
  );
  assert.ok(counts.every((count) => count > 0));
  assert.ok(counts.filter((count) => count > 1).length <= 2);
});
