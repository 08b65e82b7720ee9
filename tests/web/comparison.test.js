import assert from 'node:assert/strict';
import { test } from 'node:test';

import { basis, changesSince, points, pValue } from '../../server/web/assets/lib/comparison.js';

/** @type {import('../../server/web/assets/lib/types.js').Comparison} */
const FOUND = {
  before_id: 'A',
  after_id: 'B',
  image_count: 44,
  corrected_count: 0,
  before_error_rate: 0.1,
  after_error_rate: 0.05,
  as_labelled_error_rate: 0.2,
  fixed_count: 3,
  broken_count: 1,
  changed_answer_count: 5,
  unknown_label_count: 0,
  difference: -0.05,
  interval: [-0.1, 0.02],
  p_value: 0.2,
  could_be_chance: true,
  sentence: 'Better.',
};

test('what has changed since the former training is said, and that nothing has', () => {
  const none = { added: 0, removed: 0, relabelled: 0, moved: 0 };
  assert.equal(changesSince(none), null);
  assert.equal(
    changesSince({ ...none, relabelled: 9, removed: 1 }),
    'Since the former training: 9 labels changed, 1 image left out.',
  );
  assert.equal(
    changesSince({ ...none, added: 1200 }),
    'Since the former training: 1,200 images added.',
  );
});

test('differences have a sign and a unit', () => {
  assert.equal(points(-0.0321), '\u22123.2\u00a0points');
  assert.equal(points(0.01), '+1\u00a0point');
  assert.equal(points(0), '0\u00a0points');
  assert.equal(points(-0.00001), '0\u00a0points');
});

test('p-values have two digits that matter', () => {
  assert.equal(pValue(0.0214), '0.021');
  assert.equal(pValue(0.00001), 'below 0.001');
  assert.equal(pValue(1), '1.0');
});

test('corrected labels are owned up to', () => {
  assert.match(basis(FOUND), /same 44 validation images/);
  assert.doesNotMatch(basis(FOUND), /corrected in between/);
  const corrected = basis({ ...FOUND, corrected_count: 5 });
  assert.match(corrected, /5 labels of these were corrected/);
  assert.match(corrected, /20\u00a0%/);
  assert.match(basis({ ...FOUND, corrected_count: 1 }), /1 label of these was corrected/);
});
