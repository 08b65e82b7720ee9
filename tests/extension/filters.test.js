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

test('every size is of one shape and no other', () => {
  for (let width = 1; width <= 300; width += 1) {
    const shapes = ['landscape', 'square', 'portrait'];
    const fitting = shapes.filter((shape) =>
      passes({ width, height: 100 }, { ...NO_FILTERS, shape }),
    );
    assert.equal(fitting.length, 1, `${width}×100`);
  }
});
