import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assignLabelKeys, commandFor, Round } from '../../server/web/assets/lib/cleaning.js';

/** @param {number} count How many. */
const items = (count) =>
  Array.from({ length: count }, (_, n) => ({
    image_id: `image ${String(n)}`,
    sha256: String(n),
    label: 'bear',
    split: /** @type {const} */ ('train'),
    predicted: 'bus',
    probability: 0.9,
    label_probability: 0.1,
    loss: 2.3,
    reviewed_at: null,
  }));
/** @param {string} key What is pressed. */
const stroke = (key, more = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});

test('labels get keys that cleaning does not need', () => {
  const labels = Array.from({ length: 40 }, (_, n) => `label ${String(n)}`);
  const keys = assignLabelKeys(labels);
  assert.equal(keys.size, 33);
  assert.equal(keys.get('1'), 'label 0');
  assert.equal(keys.get('0'), 'label 9');
  assert.equal(keys.get('a'), 'label 10');
  for (const key of 'kxu') assert.equal(keys.has(key), false);
  assert.equal(assignLabelKeys(['bear']).size, 1);
});

test('keys mean what they say, and nothing with other modifiers', () => {
  const keys = assignLabelKeys(['bear', 'bus']);
  assert.deepEqual(commandFor(stroke('k'), keys), { kind: 'keep' });
  assert.deepEqual(commandFor(stroke('X'), keys), { kind: 'exclude' });
  assert.deepEqual(commandFor(stroke('2'), keys), { kind: 'relabel', label: 'bus' });
  assert.deepEqual(commandFor(stroke('z', { ctrlKey: true }), keys), { kind: 'undo' });
  assert.equal(commandFor(stroke('3'), keys), null);
  for (const modifier of ['ctrlKey', 'metaKey', 'altKey', 'shiftKey']) {
    assert.equal(commandFor(stroke('x', { [modifier]: true }), keys), null);
  }
});

test('each decision is told to the server and counted', () => {
  const round = new Round(items(4));
  assert.deepEqual(round.decide({ kind: 'keep' })?.change, { reviewed: true });
  assert.deepEqual(round.decide({ kind: 'exclude' })?.change, { excluded: true, reviewed: true });
  assert.deepEqual(round.decide({ kind: 'relabel', label: 'bus' })?.change, {
    label: 'bus',
    reviewed: true,
  });
  assert.deepEqual(round.tally, { kept: 1, relabelled: 1, excluded: 1 });
  assert.equal(round.current?.image_id, 'image 3');
  assert.deepEqual(
    round.latest(2).map(({ item }) => item.image_id),
    ['image 2', 'image 1'],
  );
  round.decide({ kind: 'keep' });
  assert.equal(round.current, null);
  assert.equal(round.decide({ kind: 'keep' }), null);
});

test('the own label keeps', () => {
  const round = new Round(items(1));
  assert.deepEqual(round.decide({ kind: 'relabel', label: 'bear' })?.change, { reviewed: true });
  assert.deepEqual(round.tally, { kept: 1, relabelled: 0, excluded: 0 });
});

test('undo takes the last decision back, wherever one is', () => {
  const round = new Round(items(5));
  round.decide({ kind: 'relabel', label: 'bus' });
  round.decide({ kind: 'exclude' });
  round.move(1);
  assert.deepEqual(round.undo(), {
    item: round.current,
    index: 1,
    change: { excluded: false, reviewed: false },
  });
  assert.equal(round.at, 1);
  assert.deepEqual(round.undo()?.change, { label: 'bear', reviewed: false });
  assert.equal(round.at, 0);
  assert.equal(round.undo(), null);
  assert.equal(round.decided, 0);
});

test('another decision on the same image takes the first one back', () => {
  const round = new Round(items(2));
  round.decide({ kind: 'exclude' });
  round.move(-1);
  assert.deepEqual(round.decision, { kind: 'exclude' });
  assert.deepEqual(round.decide({ kind: 'relabel', label: 'bus' })?.change, {
    excluded: false,
    label: 'bus',
    reviewed: true,
  });
  round.move(-1);
  assert.deepEqual(round.decide({ kind: 'keep' })?.change, { label: 'bear', reviewed: true });
  assert.equal(round.decided, 1);
});

test('a decision that was refused is asked about again', () => {
  const round = new Round(items(3));
  const step = round.decide({ kind: 'keep' });
  round.decide({ kind: 'keep' });
  round.forget(step?.index ?? -1);
  assert.equal(round.current?.image_id, 'image 0');
  assert.equal(round.decided, 1);
});

test('skipping stays within the round and loads what comes', () => {
  const round = new Round(items(3));
  round.move(-1);
  assert.equal(round.at, 0);
  assert.deepEqual(
    round.ahead(5).map((item) => item.image_id),
    ['image 1', 'image 2'],
  );
  for (let n = 0; n < 9; n += 1) round.move(1);
  assert.equal(round.at, 3);
  assert.equal(round.decided, 0);
});
