import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptureQueue, delayAfter } from '../../extension/background/queue.js';
import { BowerbirdError, ServerProblem } from '../../extension/lib/errors.js';
import { MemoryStore, makeLock } from './support/storage.js';

const DOWN = new BowerbirdError('server-down', 'No server answers.');
const refusal = (status, slug = 'some-problem') =>
  new ServerProblem({ slug, status, detail: `It is ${status}.`, members: {} });
const captureOf = (key) => ({
  server: 'http://s',
  dataset_id: '01D',
  dataset_name: 'bears',
  body: { capture_key: key, label: 'grizzly', candidates: [] },
});

/** Make a queue whose sender and clock are the test's own. */
function makeQueue(send) {
  const world = { now: 1_000_000, sent: [], alarms: [], send };
  world.store = new MemoryStore();
  world.queue = new CaptureQueue({
    store: world.store,
    send: async (entry) => world.send(entry),
    onSent: async ({ capture_key }, reply) => void world.sent.push([capture_key, reply]),
    schedule: async (atMs) => void world.alarms.push(atMs),
    lock: makeLock(),
    now: () => world.now,
  });
  return world;
}

test('a capture is stored before it is sent, and dropped after', async () => {
  const world = makeQueue(async ({ capture_key }) => {
    assert.equal((await world.store.list())[0].capture_key, capture_key);
    // An eviction at this point is made good by an alarm.
    assert.equal(world.alarms.at(-1), world.now + 30_000);
    return { capture_id: '01C' };
  });
  await world.queue.add(captureOf('A'));
  await world.queue.sendDue();
  assert.deepEqual(world.sent, [['A', { capture_id: '01C' }]]);
  assert.deepEqual(await world.queue.list(), []);
  assert.equal(world.alarms.at(-1), null);
});

test('while the server is down captures wait, ever longer, and the pass ends early', async () => {
  const world = makeQueue(() => {
    throw DOWN;
  });
  await world.queue.add(captureOf('A'));
  await world.queue.add(captureOf('B'));
  await world.queue.sendDue();
  const [a, b] = await world.queue.list();
  assert.deepEqual([a.state, a.attempt_count, a.error], ['queued', 1, 'No server answers.']);
  assert.equal(a.next_attempt_at_ms, world.now + 30_000);
  assert.deepEqual([b.attempt_count, b.error], [0, null]);
  assert.equal(world.alarms.at(-1), world.now + 30_000);
  world.now += 30_000;
  await world.queue.sendDue();
  assert.equal((await world.queue.list())[0].next_attempt_at_ms, world.now + 60_000);
});

test('what is not due is left alone', async () => {
  const world = makeQueue(() => {
    throw DOWN;
  });
  await world.queue.add(captureOf('A'));
  await world.queue.sendDue();
  await world.queue.sendDue();
  assert.equal((await world.queue.list())[0].attempt_count, 1);
});

// status, state after it
const STATUSES = [
  [400, 'refused'],
  [401, 'queued'],
  [404, 'refused'],
  [408, 'queued'],
  [409, 'refused'],
  [422, 'refused'],
  [429, 'queued'],
  [500, 'queued'],
  [503, 'queued'],
];
for (const [status, expected] of STATUSES) {
  test(`after ${status} a capture is ${expected}`, async () => {
    const world = makeQueue(() => {
      throw refusal(status);
    });
    await world.queue.add(captureOf('A'));
    await world.queue.sendDue();
    const [entry] = await world.queue.list();
    assert.deepEqual([entry.state, entry.error], [expected, `It is ${status}.`]);
    assert.equal(world.alarms.at(-1) === null, expected === 'refused');
  });
}

test('a refused capture holds up no other, and is sent again on demand', async () => {
  let isGone = true;
  const world = makeQueue(({ capture_key }) => {
    if (capture_key === 'A' && isGone) throw refusal(404);
    return {};
  });
  await world.queue.add(captureOf('A'));
  await world.queue.add(captureOf('B'));
  await world.queue.sendDue();
  assert.deepEqual(
    world.sent.map(([key]) => key),
    ['B'],
  );
  isGone = false;
  await world.queue.retry();
  assert.deepEqual(
    world.sent.map(([key]) => key),
    ['B', 'A'],
  );
});

test('a capture for another server holds up none for this one', async () => {
  const world = makeQueue(({ capture_key }) => {
    if (capture_key === 'A') throw new BowerbirdError('not-paired', 'Waits.');
    return {};
  });
  await world.queue.add(captureOf('A'));
  await world.queue.add(captureOf('B'));
  await world.queue.sendDue();
  assert.deepEqual(
    world.sent.map(([key]) => key),
    ['B'],
  );
  assert.equal((await world.queue.list())[0].state, 'queued');
});

test('captures are forgotten one by one or all at once', async () => {
  const world = makeQueue(() => {
    throw DOWN;
  });
  for (const key of ['A', 'B', 'C']) await world.queue.add(captureOf(key));
  await world.queue.forget('B');
  assert.deepEqual(
    (await world.queue.list()).map(({ capture_key }) => capture_key),
    ['A', 'C'],
  );
  await world.queue.forget(null);
  assert.deepEqual(await world.queue.list(), []);
  assert.equal(world.alarms.at(-1), null);
});

test('two passes at once send each capture once', async () => {
  const world = makeQueue(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return {};
  });
  await world.queue.add(captureOf('A'));
  await Promise.all([world.queue.sendDue(), world.queue.sendDue(), world.queue.retry()]);
  assert.equal(world.sent.length, 1);
});

test('delays double up to half an hour', () => {
  assert.deepEqual(
    [1, 2, 3, 7, 100].map(delayAfter),
    [30_000, 60_000, 120_000, 1_800_000, 1_800_000],
  );
});
