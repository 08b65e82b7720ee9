import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  answerFor,
  decisionOf,
  describe,
  isAnswer,
  Round,
} from '../../server/web/assets/lib/cleaning.js';
import { changed } from '../../server/web/assets/lib/image-changes.js';

const item = (n, more = {}) => ({
  image_id: `image ${String(n)}`,
  sha256: String(n),
  label: 'bear',
  split: 'train',
  predicted: 'bus',
  probability: 0.9,
  label_probability: 0.1,
  loss: 2.3,
  reviewed_at: null,
  ...more,
});
const image = (n, more = {}) => ({
  id: `image ${String(n)}`,
  version: 1,
  label: 'bear',
  excluded: false,
  reviewed_at: null,
  ...more,
});
const REVIEWED = { reviewed_at: '2026-11-22T10:00:00Z' };

/** A round of which all images have been read. */
const round = (count) => {
  const items = Array.from({ length: count }, (_, n) => item(n));
  const made = new Round(items);
  items.forEach((_, n) => made.put(image(n)));
  return made;
};

/** Answer as the page does: the change is shown at once, and one goes on. */
const answer = (on, command) => {
  const now = on.imageAt();
  const change = answerFor(command, on.current, now);
  on.follow(changed(now, change));
  if (isAnswer(change)) on.next();
  return change;
};

test('what was decided is read from the image, whoever decided it', () => {
  const rows = [
    [{}, null],
    [REVIEWED, { kind: 'keep' }],
    [{ label: 'bus' }, { kind: 'relabel', label: 'bus' }],
    [{ label: null }, { kind: 'relabel', label: 'no label' }],
    [{ excluded: true, label: 'bus' }, { kind: 'exclude' }],
  ];
  for (const [more, decision] of rows)
    assert.deepEqual(decisionOf(item(0), image(0, more)), decision);
  assert.equal(describe({ kind: 'keep' }, item(0)), 'kept as bear');
  assert.equal(describe({ kind: 'exclude' }, item(0)), 'excluded');
  assert.equal(describe({ kind: 'relabel', label: 'bus' }, item(0)), 'bear → bus');
});

test('each answer is one change that says all, and only what is new', () => {
  const label = (name) => ({ name: 'label', label: name });
  const excluded = { excluded: true, ...REVIEWED };
  const rows = [
    [{ name: 'keep' }, {}, { reviewed: true }],
    [label('bear'), {}, { reviewed: true }],
    [label('bus'), {}, { label: 'bus', reviewed: true }],
    [{ name: 'exclude' }, {}, { excluded: true, reviewed: true }],
    [{ name: 'review' }, {}, { reviewed: true }],
    // Decided about again.
    [{ name: 'keep' }, { label: 'bus', ...REVIEWED }, { label: 'bear', reviewed: true }],
    [{ name: 'keep' }, excluded, { excluded: false, reviewed: true }],
    [label('bus'), excluded, { label: 'bus', excluded: false, reviewed: true }],
    [{ name: 'exclude' }, REVIEWED, { excluded: true, reviewed: true }],
    // Taken back: the question is open again.
    [{ name: 'exclude' }, excluded, { excluded: false, reviewed: false }],
    [{ name: 'review' }, REVIEWED, { reviewed: false }],
    // No answer.
    [{ name: 'open' }, {}, null],
    [{ name: 'undo' }, {}, null],
  ];
  for (const [command, more, change] of rows) {
    assert.deepEqual(answerFor(command, item(0), image(0, more)), change, JSON.stringify(command));
  }
  assert.equal(isAnswer({ reviewed: true }), true);
  assert.equal(isAnswer({ excluded: false, reviewed: false }), false);
});

test('answers are counted, listed, and gone on from', () => {
  const on = round(4);
  answer(on, { name: 'keep' });
  answer(on, { name: 'exclude' });
  answer(on, { name: 'label', label: 'bus' });
  assert.deepEqual(on.tally, { kept: 1, relabelled: 1, excluded: 1 });
  assert.equal(on.current?.image_id, 'image 3');
  assert.deepEqual(
    on.latest(2).map(({ item: each }) => each.image_id),
    ['image 2', 'image 1'],
  );
  answer(on, { name: 'keep' });
  assert.deepEqual([on.current, on.decision, on.decided, on.at], [null, null, 4, 4]);
  on.next();
  assert.equal(on.at, 4, 'the end is the end');
});

test('what was taken back, or refused, is asked about again', () => {
  const on = round(3);
  answer(on, { name: 'keep' });
  answer(on, { name: 'keep' });
  on.follow(image(1));
  on.follow(image(0));
  assert.equal(on.current?.image_id, 'image 0', 'the first of several comes first');
  assert.equal(on.decided, 0);
  on.goTo(2);
  answer(on, { name: 'exclude' });
  on.goTo(0);
  on.follow(image(2));
  assert.equal(on.at, 0, 'what lies ahead comes by itself');
});

test('one goes on past what is decided, as by going back or in another tab', () => {
  const on = round(5);
  answer(on, { name: 'keep' });
  answer(on, { name: 'keep' });
  on.put(image(3, { version: 2, excluded: true }));
  on.move(-2);
  assert.deepEqual(on.decision, { kind: 'keep' });
  assert.deepEqual(answer(on, { name: 'exclude' }), { excluded: true, reviewed: true });
  assert.equal(on.current?.image_id, 'image 2');
  answer(on, { name: 'keep' });
  assert.equal(on.current?.image_id, 'image 4');
  assert.equal(on.decided, 4);
  assert.equal(on.latest(1)[0]?.item.image_id, 'image 2');
});

test('an answer of the server that is older than the change is passed over', () => {
  const on = round(1);
  answer(on, { name: 'exclude' });
  on.put(image(0));
  assert.equal(on.decided, 1);
  on.put(image(0, { version: 3, label: 'bus' }));
  assert.deepEqual(on.tally, { kept: 0, relabelled: 1, excluded: 0 });
  on.put(image(7));
  assert.equal(on.size, 1, 'others are none of its business');
});

test('an image that is deleted leaves the round, and one stays where one is', () => {
  const on = round(4);
  on.goTo(2);
  on.drop('image 0');
  assert.deepEqual([on.current?.image_id, on.at, on.size], ['image 2', 1, 3]);
  on.drop('image 2');
  assert.equal(on.current?.image_id, 'image 3');
  on.drop('image 3');
  assert.equal(on.current, null);
  on.drop('image 9');
  assert.equal(on.size, 1);
});

test('skipping stays within the round; what comes is read and loaded ahead', () => {
  const on = new Round([0, 1, 2, 3].map((n) => item(n)));
  assert.deepEqual(on.unread(1), ['image 0', 'image 1']);
  on.put(image(1));
  assert.deepEqual(on.unread(2), ['image 0', 'image 2']);
  assert.equal(on.imageAt(), undefined);
  assert.equal(on.imageAt(1)?.id, 'image 1');
  on.move(-Infinity);
  assert.equal(on.at, 0);
  assert.deepEqual(
    on.ahead(5).map((each) => each.image_id),
    ['image 1', 'image 2', 'image 3'],
  );
  for (let n = 0; n < 9; n += 1) on.move(1);
  assert.deepEqual([on.at, on.decided, on.unread(3)], [4, 0, []]);
});
