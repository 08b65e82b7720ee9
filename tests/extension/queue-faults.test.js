/** The queue against all that can go wrong on the way, in random order that a seed repeats. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLastCapture, undoCapture } from '../../extension/background/captures.js';
import { CaptureQueue } from '../../extension/background/queue.js';
import { BowerbirdError, ServerProblem } from '../../extension/lib/errors.js';
import { MemoryStore, makeLocks } from './support/storage.js';

const SEED_COUNT = 300;
const CAPTURE_COUNT = 12;
const MAX_PARTS = 3;
const SERVERS = ['http://one', 'http://two'];
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

/** What outlives a worker: the store, the locks, the alarm, the servers, the clock. */
class World {
  constructor(seed) {
    this.random = randomOf(seed);
    this.rates = {
      lost: this.random() * 0.4,
      busy: this.random() * 0.2,
      evicted: this.random() * 0.08,
      full: this.random() * 0.1,
    };
    this.store = new MemoryStore();
    this.locks = makeLocks();
    this.alarmAtMs = null;
    this.now = 1_000_000;
    /** Captures as the servers have them, by id; a key that is known is answered and not added. */
    this.accepted = new Map();
    /** How many parts each capture has, by its server and the first half of its keys. */
    this.partCounts = new Map();
    this.counts = { evicted: 0, repeated: 0, full: 0, together: 0 };
  }

  happens(what) {
    return this.random() < this.rates[what];
  }

  /** A request to a server and its answer: either may be lost. */
  async exchange(serve) {
    if (this.happens('lost')) throw new BowerbirdError('server-down', 'The request is lost.');
    if (this.happens('busy')) {
      throw new ServerProblem({ slug: 'busy', status: 503, detail: 'Busy.', members: {} });
    }
    const reply = serve();
    if (this.happens('lost')) throw new BowerbirdError('server-down', 'The answer is lost.');
    return reply;
  }

  receive({ server, capture_key }, body) {
    assert.equal(body.capture_key, capture_key);
    const capture_id = `${server} ${capture_key}`;
    if (this.accepted.has(capture_id)) this.counts.repeated += 1;
    else this.accepted.set(capture_id, body.candidates);
    return { capture_id, added: body.candidates.length, known: 0, refused: [] };
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
    let end;
    const ended = new Promise((resolve) => (end = resolve));
    const never = new Promise(() => undefined);
    let isEvicted = false;
    const mayEnd = () => {
      if (!isEvicted && this.happens('evicted')) {
        isEvicted = true;
        this.counts.evicted += 1;
        end();
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
    // Each call of the store, with a disk that is full for a moment now and then.
    const store = Object.fromEntries(
      ['add', 'put', 'list', 'readBody', 'remove', 'settle', 'listSent', 'removeSent'].map(
        (name) => [name, (...parameters) => step(() => this.useStore(name, parameters))],
      ),
    );
    const queue = new CaptureQueue({
      store,
      send: (entry, body) => step(() => this.exchange(() => this.receive(entry, body))),
      schedule: (atMs) => step(() => this.schedule(atMs)),
      lock: this.locks(ended),
      now: () => this.now,
    });
    const call = ({ path }) =>
      step(() =>
        this.exchange(() => this.accepted.delete(decodeURIComponent(path.split('/').at(-1)))),
      );
    await Promise.race([run(queue, { call }), ended]);
  }

  useStore(name, parameters) {
    this.store.isDiskFull = this.happens('full');
    if (this.store.isDiskFull) this.counts.full += 1;
    return this.store[name](...parameters);
  }

  /** Run one worker, or two at once: an old one may still end while the next has begun. */
  async runWorkers(run) {
    const isTogether = this.random() < 0.3;
    if (isTogether) this.counts.together += 1;
    await Promise.all([
      this.runWorker(run),
      isTogether ? this.runWorker((queue) => queue.sendQueued()) : null,
    ]);
  }

  /** Let time pass until the alarm, which repeats like the real one. */
  async ring() {
    this.now = Math.max(this.now, this.alarmAtMs);
    this.alarmAtMs = this.now + PERIOD_MS;
    await this.runWorkers((queue) =>
      // The start of a worker sends what is due, and so does the alarm that has woken it.
      Promise.all([queue.sendDue(), this.random() < 0.5 ? queue.sendDue() : null]),
    );
  }

  /** Let alarms ring until nothing waits. */
  async calmDown() {
    let ringCount = 0;
    for (; this.alarmAtMs !== null && ringCount < MAX_ALARMS; ringCount += 1) await this.ring();
    assert.ok(ringCount < MAX_ALARMS, 'it ends');
  }
}

/** The parts of a capture; ULIDs sort like these names. */
function bodiesOf(number, partCount) {
  return Array.from({ length: partCount }, (_, part) => {
    const capture_key = `K${String(number).padStart(2, '0')}-${part}`;
    return { capture_key, label: 'grizzly', candidates: [`https://a.example/${capture_key}`] };
  });
}

/** Capture some pages while everything fails now and then; return those that were acknowledged. */
async function live(world) {
  const stored = [];
  for (let number = 0; number < CAPTURE_COUNT; number += 1) {
    const server = SERVERS[number % SERVERS.length];
    const bodies = bodiesOf(number, 1 + Math.floor(world.random() * MAX_PARTS));
    world.partCounts.set(`${server} ${bodies[0].capture_key.slice(0, -2)}`, bodies.length);
    await world.runWorkers(async (queue) => {
      const earlier = world.random() < 0.5 ? queue.sendDue() : null;
      try {
        await queue.add({ server, dataset_id: '01D', dataset_name: 'bears' }, bodies);
        stored.push({ server, bodies });
      } catch (error) {
        assert.equal(error.kind, 'not-kept');
      }
      await Promise.all([queue.sendDue(), earlier, world.random() < 0.2 ? queue.retry() : null]);
    });
    if (world.alarmAtMs !== null && world.random() < 0.5) await world.ring();
  }
  return stored;
}

test(`whatever fails, each capture that was stored arrives exactly once: ${SEED_COUNT} runs`, async () => {
  const total = { evicted: 0, repeated: 0, full: 0, together: 0 };
  for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
    const world = new World(seed);
    const stored = await live(world);
    await world.calmDown();
    assert.deepEqual(await world.store.list(), [], `seed ${seed}: nothing is left behind`);
    assert.equal(world.store.bodies.size, 0);
    for (const { server, bodies } of stored) {
      for (const { capture_key, candidates } of bodies) {
        const arrived = world.accepted.get(`${server} ${capture_key}`);
        assert.deepEqual(arrived, candidates, `seed ${seed}: ${capture_key} at its server alone`);
        world.accepted.delete(`${server} ${capture_key}`);
      }
    }
    // What else has arrived was stored by workers that ended before they could say so: whole.
    for (const id of world.accepted.keys()) {
      const bodies = bodiesOf(Number(id.slice(-4, -2)), world.partCounts.get(id.slice(0, -2)));
      const ids = bodies.map(({ capture_key }) => `${id.split(' ')[0]} ${capture_key}`);
      assert.ok(ids.length > 0 && ids.every((each) => world.accepted.has(each)), id);
    }
    for (const name of Object.keys(total)) total[name] += world.counts[name];
  }
  // Else this test has tested nothing.
  for (const [name, count] of Object.entries(total)) assert.ok(count > SEED_COUNT, name);
});

test(`whatever fails, what is undone stays undone and no other capture is touched: ${SEED_COUNT} runs`, async () => {
  let undoneCount = 0;
  let failureCount = 0;
  for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
    const world = new World(seed);
    await live(world);
    const [server] = SERVERS;
    const last = await findLastCapture(new CaptureQueue({ store: world.store }), server);
    if (last === null) continue;
    const isOfLast = (id) => id.startsWith(`${server} ${last.capture_key.slice(0, -2)}`);
    let isUndone = false;
    for (let attempt = 0; !isUndone && attempt < 1000; attempt += 1) {
      await world.runWorkers(async (queue, session) => {
        const isLeft = (await queue.listSent()).some((part) => part.group_key === last.capture_key);
        if (!isLeft) isUndone = true;
        else {
          const undone = undoCapture({ session, queue }, last.capture_key);
          await undone.catch(() => (failureCount += 1));
        }
      });
    }
    await world.calmDown();
    const ids = [...world.accepted.keys()];
    assert.deepEqual(ids.filter(isOfLast), [], `seed ${seed}: undone for good`);
    const others = (await world.store.listSent()).map(({ capture_id }) => capture_id);
    assert.deepEqual(others.sort(), ids.sort(), `seed ${seed}: the others are there and known`);
    undoneCount += 1;
  }
  assert.ok(undoneCount > SEED_COUNT / 2 && failureCount > SEED_COUNT / 4);
});
