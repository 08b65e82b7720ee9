import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delayAfter } from '../../extension/background/queue-entry.js';
import { findStale } from '../../extension/background/queue-store.js';
import { CaptureQueue } from '../../extension/background/queue.js';
import { BowerbirdError, ServerProblem } from '../../extension/lib/errors.js';
import { MemoryStore, makeLocks } from './support/storage.js';

const DOWN = new BowerbirdError('server-down', 'No server answers.');
const TARGET = { server: 'http://s', dataset_id: '01D', dataset_name: 'bears' };
const REPLY = { capture_id: '01C', added: 1, known: 0, refused: [] };
const refusal = (status, slug = 'some-problem') =>
  new ServerProblem({ slug, status, detail: `It is ${status}.`, members: {} });
const bodyOf = (key) => ({
  capture_key: key,
  label: 'grizzly',
  candidates: [{ url: `of ${key}` }],
});

/** Make a queue whose sender and clock are the test's own. */
function makeQueue(send) {
  const world = { now: 1_000_000, sent: [], alarms: [], send };
  world.store = new MemoryStore();
  world.queue = new CaptureQueue({
    store: world.store,
    send: async (entry, body) => {
      const reply = await world.send(entry, body);
      world.sent.push(entry.capture_key);
      return reply;
    },
    schedule: async (atMs) => void world.alarms.push(atMs),
    lock: makeLocks()(),
    now: () => world.now,
  });
  world.add = (...keys) => world.queue.add(TARGET, keys.map(bodyOf));
  return world;
}

const listKeys = async (world) => (await world.queue.list()).map(({ capture_key }) => capture_key);

test('a capture is stored before it is sent, and dropped after', async () => {
  const world = makeQueue(async ({ capture_key }, body) => {
    assert.equal((await world.store.list())[0].capture_key, capture_key);
    // An eviction at this point is made good by an alarm.
    assert.equal(world.alarms.at(-1), world.now + 30_000);
    assert.deepEqual(body, bodyOf(capture_key));
    return REPLY;
  });
  await world.add('A');
  await world.queue.sendDue();
  assert.deepEqual(world.sent, ['A']);
  assert.deepEqual(await world.queue.list(), []);
  assert.deepEqual(await world.queue.listSent(), [
    { capture_key: 'A', group_key: 'A', label: 'grizzly', ...TARGET, ...REPLY },
  ]);
  assert.equal(world.store.bodies.size, 0);
  assert.equal(world.alarms.at(-1), null);
});

test('while the server is down captures wait, ever longer, and the pass ends early', async () => {
  const world = makeQueue(() => {
    throw DOWN;
  });
  await world.add('A');
  await world.add('B');
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
  await world.add('A');
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
    await world.add('A');
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
    return REPLY;
  });
  await world.add('A');
  await world.add('B');
  await world.queue.sendDue();
  assert.deepEqual(world.sent, ['B']);
  isGone = false;
  await world.queue.retry();
  assert.deepEqual(world.sent, ['B', 'A']);
});

test('a capture for another server holds up none for this one', async () => {
  const world = makeQueue(({ capture_key }) => {
    if (capture_key === 'A') throw new BowerbirdError('not-paired', 'Waits.');
    return REPLY;
  });
  await world.add('A');
  await world.add('B');
  await world.queue.sendDue();
  assert.deepEqual(world.sent, ['B']);
  assert.equal((await world.queue.list())[0].state, 'queued');
});

test('a server that is down holds up no capture for another', async () => {
  const world = makeQueue(({ server }) => {
    if (server === TARGET.server) throw DOWN;
    return REPLY;
  });
  await world.add('A');
  await world.add('B');
  await world.queue.add({ ...TARGET, server: 'http://other' }, [bodyOf('C')]);
  await world.queue.sendDue();
  assert.deepEqual(world.sent, ['C']);
  const [a, b] = await world.queue.list();
  assert.deepEqual([a.attempt_count, b.attempt_count], [1, 0]);
});

test('when there is hope, what is not due is sent too, but not what was refused', async () => {
  let error = DOWN;
  const world = makeQueue(({ capture_key }) => {
    if (error !== null) throw capture_key === 'A' ? refusal(404) : error;
    return REPLY;
  });
  await world.add('A');
  await world.add('B');
  await world.queue.sendDue();
  error = null;
  await world.queue.sendDue();
  assert.deepEqual(world.sent, []);
  await world.queue.sendQueued();
  assert.deepEqual(world.sent, ['B']);
});

test('where one gets through, those that wait after failures go too', async () => {
  let error = DOWN;
  const world = makeQueue(() => {
    if (error !== null) throw error;
    return REPLY;
  });
  await world.add('A');
  await world.queue.sendDue();
  await world.queue.add({ ...TARGET, server: 'http://other' }, [bodyOf('B')]);
  await world.queue.sendDue();
  error = null;
  await world.add('C');
  await world.queue.sendDue();
  assert.deepEqual(world.sent, ['C', 'A']);
  assert.deepEqual(await listKeys(world), ['B']);
});

// what the store throws, what the person reads
const STORE_ERRORS = [
  [new DOMException('Full.', 'QuotaExceededError'), /the disk has no room/],
  [new DOMException('Internal error.', 'UnknownError'), /could not store it \(Internal error\.\)/],
];
for (const [error, sentence] of STORE_ERRORS) {
  test(`a capture that cannot be stored is refused whole: ${error.name}`, async () => {
    const world = makeQueue(() => REPLY);
    world.store.add = () => Promise.reject(error);
    await assert.rejects(world.add('A', 'B'), { kind: 'not-kept', message: sentence });
    assert.deepEqual(await world.queue.list(), []);
    assert.equal(world.alarms.at(-1), null);
  });
}

test('with a full disk what waits is sent all the same', async () => {
  let isDown = true;
  const world = makeQueue(() => {
    if (isDown) throw DOWN;
    return REPLY;
  });
  await world.add('A');
  world.store.isDiskFull = true;
  await world.queue.sendDue();
  assert.equal((await world.queue.list())[0].attempt_count, 0);
  isDown = false;
  await world.queue.sendDue();
  assert.deepEqual(world.sent, ['A']);
  assert.deepEqual(await world.queue.list(), []);
});

test('the queue holds no more than a disk should bear, and says so', async () => {
  const world = makeQueue(() => REPLY);
  const candidates = Array.from({ length: 60_000 }, () => null);
  await world.queue.add(TARGET, [{ ...bodyOf('A'), candidates }]);
  const more = world.queue.add(TARGET, [{ ...bodyOf('B'), candidates }]);
  await assert.rejects(more, { kind: 'not-kept', message: /100,000 images wait here already/ });
  await world.add('C');
  assert.deepEqual(await listKeys(world), ['A', 'C']);
});

test('a capture is withdrawn: what may have arrived is asked for, what is refused is dropped', async () => {
  let error = DOWN;
  const world = makeQueue(({ capture_key }) => {
    if (capture_key === 'A3') throw refusal(404);
    if (error !== null && capture_key !== 'A1') throw error;
    return REPLY;
  });
  await world.add('A1', 'A2', 'A3');
  await world.add('B');
  await world.queue.sendDue();
  assert.deepEqual(await listKeys(world), ['A2', 'A3', 'B']);
  await assert.rejects(world.queue.withdraw('A1'), DOWN);
  assert.deepEqual(await listKeys(world), ['A2', 'A3', 'B']);
  error = null;
  await world.queue.withdraw('A1');
  assert.deepEqual(await listKeys(world), ['B']);
  assert.deepEqual(world.sent, ['A1', 'A2']);
});

test('of what was sent the newest is kept; what added nothing displaces nothing', () => {
  const parts = Array.from({ length: 160 }, (_, index) => ({
    capture_key: String(index),
    added: index < 60 ? 1 : 0,
  }));
  const stale = findStale(parts);
  assert.deepEqual(stale.slice(0, 10), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  assert.deepEqual([stale[10], stale.at(-1), stale.length], ['60', '109', 60]);
});

test('captures are forgotten one by one or all at once', async () => {
  const world = makeQueue(() => {
    throw DOWN;
  });
  await world.add('A');
  await world.add('B', 'B2');
  await world.add('C');
  await world.queue.forget('B');
  assert.deepEqual(await listKeys(world), ['A', 'C']);
  await world.queue.forget(null);
  assert.deepEqual(await world.queue.list(), []);
  assert.equal(world.alarms.at(-1), null);
});

test('two passes at once send each capture once', async () => {
  const world = makeQueue(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return REPLY;
  });
  await world.add('A');
  await Promise.all([world.queue.sendDue(), world.queue.sendDue(), world.queue.retry()]);
  assert.equal(world.sent.length, 1);
});

test('delays double up to half an hour', () => {
  assert.deepEqual(
    [1, 2, 3, 7, 100].map(delayAfter),
    [30_000, 60_000, 120_000, 1_800_000, 1_800_000],
  );
});
