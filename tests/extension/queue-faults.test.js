/** The queue against all that can go wrong on the way, in random order that a seed repeats. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptureQueue } from '../../extension/background/queue.js';
import { BowerbirdError, ServerProblem } from '../../extension/lib/errors.js';
import { MemoryStore, makeLock } from './support/storage.js';

const SEED_COUNT = 60;
const CAPTURE_COUNT = 12;
const MINUTE_MS = 60_000;
const FIRST_DELAY_MS = MINUTE_MS / 2;
const PERIOD_MS = 30 * MINUTE_MS;
/** Some thousand suffice at the worst rates; more means that something never ends. */
const MAX_ALARMS = 20_000;

/** Numbers from 0 to 1 that a seed repeats. Source: mulberry32, public domain. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What outlives a worker: the store, the alarm, the server, the clock. */
class World {
  constructor(seed) {
    this.random = randomOf(seed);
    this.rates = { lost: this.random() * 0.4, busy: this.random() * 0.2, evicted: 0 };
    this.rates.evicted = this.random() * 0.08;
    this.store = new MemoryStore();
    this.alarmAtMs = null;
    this.now = 1_000_000;
    /** Captures as the server has them; it takes a key it knows as answered. */
    this.accepted = new Map();
    this.storedKeys = new Set();
    this.repeatCount = 0;
    this.evictionCount = 0;
  }

  happens(what) {
    return this.random() < this.rates[what];
  }

  /** A request and its answer: either may be lost. */
  async receive({ capture_key, body }) {
    if (this.happens('lost')) throw new BowerbirdError('server-down', 'The request is lost.');
    if (this.happens('busy')) {
      throw new ServerProblem({ slug: 'busy', status: 503, detail: 'Busy.', members: {} });
    }
    if (this.accepted.has(capture_key)) this.repeatCount += 1;
    else this.accepted.set(capture_key, body.candidates);
    if (this.happens('lost')) throw new BowerbirdError('server-down', 'The answer is lost.');
    return { capture_id: `of ${capture_key}` };
  }

  schedule(atMs) {
    if (atMs !== null) {
      assert.ok(atMs >= this.now + FIRST_DELAY_MS, 'browsers fire no alarm earlier');
      assert.ok(atMs <= this.now + PERIOD_MS, 'nothing waits longer than the cap');
    }
    this.alarmAtMs = atMs;
  }

  /** Run a worker until it is done or evicted, between any two of its steps. */
  async runWorker(run) {
    let evict;
    let isEvicted = false;
    const evicted = new Promise((resolve) => (evict = resolve));
    const never = new Promise(() => undefined);
    const mayEnd = () => {
      if (!isEvicted && this.happens('evicted')) {
        isEvicted = true;
        this.evictionCount += 1;
        evict();
      }
      return isEvicted;
    };
    const step = async (effect) => {
      if (mayEnd()) return never;
      try {
        return await effect();
      } finally {
        if (mayEnd()) await never;
      }
    };
    const queue = new CaptureQueue({
      store: {
        put: (entry) => step(() => this.store.put(entry)),
        list: () => step(() => this.store.list()),
        remove: (key) => step(() => this.store.remove(key)),
      },
      send: (entry) => step(() => this.receive(entry)),
      onSent: ({ capture_key }, reply) =>
        step(() => assert.equal(reply.capture_id, `of ${capture_key}`)),
      schedule: (atMs) => step(() => this.schedule(atMs)),
      lock: makeLock(), // the browser frees the lock of a worker that is gone
      now: () => this.now,
    });
    await Promise.race([run(queue), evicted]);
  }

  /** Let time pass until the alarm, which repeats like the real one. */
  async ring() {
    this.now = Math.max(this.now, this.alarmAtMs);
    this.alarmAtMs = this.now + PERIOD_MS;
    await this.runWorker((queue) =>
      // The start of a worker sends what is due, and so does the alarm that has woken it.
      Promise.all([queue.sendDue(), this.random() < 0.5 ? queue.sendDue() : null]),
    );
  }
}

const captureOf = (key) => ({
  server: 'http://s',
  dataset_id: '01D',
  dataset_name: 'bears',
  body: { capture_key: key, label: 'grizzly', candidates: [{ url: `https://a.example/${key}` }] },
});

/** Capture some pages while everything fails now and then, and wait until it is quiet. */
async function live(world) {
  for (let index = 0; index < CAPTURE_COUNT; index += 1) {
    const key = `K${String(index).padStart(2, '0')}`;
    await world.runWorker(async (queue) => {
      const earlier = world.random() < 0.5 ? queue.sendDue() : null;
      await queue.add(captureOf(key));
      world.storedKeys.add(key);
      await Promise.all([queue.sendDue(), earlier, world.random() < 0.2 ? queue.retry() : null]);
    });
    if (world.alarmAtMs !== null && world.random() < 0.5) await world.ring();
  }
  let ringCount = 0;
  for (; world.alarmAtMs !== null && ringCount < MAX_ALARMS; ringCount += 1) await world.ring();
  assert.ok(ringCount < MAX_ALARMS, 'it ends');
}

test('whatever fails, each capture that was stored arrives exactly once', async () => {
  let evictionCount = 0;
  let repeatCount = 0;
  for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
    const world = new World(seed);
    await live(world);
    const arrived = [...world.accepted.keys()];
    assert.deepEqual(await world.store.list(), [], `seed ${seed}: nothing is left behind`);
    for (const key of world.storedKeys) {
      assert.deepEqual(
        world.accepted.get(key),
        captureOf(key).body.candidates,
        `seed ${seed}: ${key}`,
      );
    }
    assert.equal(new Set(arrived).size, arrived.length);
    evictionCount += world.evictionCount;
    repeatCount += world.repeatCount;
  }
  // Else this test has tested nothing.
  assert.ok(evictionCount > SEED_COUNT && repeatCount > SEED_COUNT);
});
