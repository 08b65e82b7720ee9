/**
 * Captures on their way to the server. Each is stored before it is first sent and settled after the
 * server has answered for it; its `capture_key` makes a second sending harmless. So the browser may
 * be closed, the worker evicted or the server stopped at any point.
 */
import { BowerbirdError, messageOf } from '../lib/errors.js';
import { formatNumber, text } from '../lib/text.js';
import {
  FIRST_DELAY_MS,
  afterFailure,
  isLasting,
  makeEntries,
  sumCandidates,
} from './queue-entry.js';

/** @typedef {import('../lib/types.js').CaptureBody} CaptureBody */
/** @typedef {import('../lib/types.js').CaptureReply} CaptureReply */
/** @typedef {import('../lib/types.js').QueueEntry} QueueEntry */
/** @typedef {import('../lib/types.js').SentPart} SentPart */
/** @typedef {'sent' | 'failed' | 'unreachable'} Attempt `unreachable`: others would fail in the same way. */

/** At up to 1 kB each, 100 MB of the person's disk for a server that never comes back. */
const MAX_CANDIDATES = 100_000;
/** With these, other captures for that server would fail in the same way, each after its timeout. */
const UNREACHABLE = new Set(['server-down', 'another-program']);

/**
 * @typedef {object} QueueParts
 * @property {import('./queue-store.js').QueueStore} store Where entries are kept.
 * @property {(entry: QueueEntry, body: CaptureBody) => Promise<CaptureReply>} send Sends one to its server.
 * @property {(atMs: number | null) => Promise<void>} schedule Asks to be called again; null cancels.
 * @property {<T>(name: 'send' | 'step', run: () => Promise<T>) => Promise<T>} lock Runs one of a name at
 *   a time, across all contexts; lets go of it when a context ends.
 * @property {() => number} now Milliseconds since 1970.
 */

/** Sends captures in order, again and again until each is settled. */
export class CaptureQueue {
  /** @param {QueueParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * Store a capture; it is safe from here on.
   *
   * @param {Pick<QueueEntry, 'server' | 'dataset_id' | 'dataset_name'>} target Where it goes.
   * @param {CaptureBody[]} bodies Its parts, each of which the server takes; at least one.
   * @throws {BowerbirdError} `not-kept`: nothing of it is stored.
   */
  async add(target, bodies) {
    const { store, now } = this.parts;
    const entries = makeEntries(target, bodies, now());
    await this.#step(async () => {
      const count = sumCandidates(entries) + sumCandidates(await store.list());
      if (count > MAX_CANDIDATES) {
        throw new BowerbirdError('not-kept', text('queueFull', formatNumber(MAX_CANDIDATES)));
      }
      // Before as well: this worker may be evicted as soon as the entry is stored.
      await this.parts.schedule(now() + FIRST_DELAY_MS);
      try {
        await store.add(entries, bodies);
      } catch (error) {
        throw notKept(error);
      } finally {
        await this.#scheduleNext();
      }
    });
  }

  /** @returns {Promise<QueueEntry[]>} What is not settled, oldest first. */
  async list() {
    return this.parts.store.list();
  }

  /**
   * @param {string} captureKey Which part of which capture.
   * @returns {Promise<CaptureBody | null>} What is sent for it; null when it does not wait any more.
   */
  async readBody(captureKey) {
    return (await this.parts.store.readBody(captureKey)) ?? null;
  }

  /** @returns {Promise<SentPart[]>} What was sent last and is not undone, oldest capture first. */
  async listSent() {
    return this.parts.store.listSent();
  }

  /** Send what is due, then ask to be called for the rest. */
  async sendDue() {
    const now = this.parts.now();
    await this.#send(({ state, next_attempt_at_ms }) => {
      return state === 'queued' && next_attempt_at_ms <= now;
    });
  }

  /** Send what waits, due or not: there is a reason to think that it succeeds now. */
  async sendQueued() {
    await this.#send(({ state }) => state === 'queued');
  }

  /** Send everything, what was refused included. */
  async retry() {
    await this.#send(() => true);
  }

  /**
   * Drop a capture that the person gives up.
   *
   * @param {string | null} groupKey Which one; null for all.
   */
  async forget(groupKey) {
    await this.parts.lock('send', async () => {
      const entries = await this.parts.store.list();
      const doomed = entries.filter(({ group_key }) => groupKey === null || groupKey === group_key);
      await this.parts.store.remove(doomed.map(({ capture_key }) => capture_key));
      await this.#schedule();
    });
  }

  /**
   * Let no part of a capture arrive any more, before those that have arrived are undone. The server
   * may have a part without our knowing: hence its answer is asked for once more.
   *
   * @param {string} groupKey Which capture.
   * @throws {BowerbirdError} As `QueueParts.send`.
   */
  async withdraw(groupKey) {
    await this.parts.lock('send', async () => {
      for (const entry of await this.parts.store.list()) {
        if (entry.group_key === groupKey) await this.#deliverOrDrop(entry);
      }
      await this.#schedule();
    });
  }

  /**
   * Forget what has been undone.
   *
   * @param {string} captureKey Which part of which capture.
   */
  async forgetSent(captureKey) {
    await this.parts.store.removeSent([captureKey]);
  }

  /**
   * Send some of what waits, oldest first; and when a server takes it, what else waits for that one.
   *
   * @param {(entry: QueueEntry) => boolean} isWanted Which.
   */
  async #send(isWanted) {
    await this.parts.lock('send', async () => {
      // Also before: this worker may be evicted while it sends.
      await this.#schedule();
      const entries = await this.parts.store.list();
      const others = entries.filter((entry) => entry.state === 'queued' && !isWanted(entry));
      /** @type {Map<string, Attempt>} */
      const servers = new Map();
      await this.#sendEach(entries.filter(isWanted), servers);
      // What waits after earlier failures need not wait any longer where others got through.
      await this.#sendEach(
        others.filter(({ server }) => servers.get(server) === 'sent'),
        servers,
      );
      await this.#schedule();
    });
  }

  /**
   * Send several, except to servers that turn out to be out of reach.
   *
   * @param {QueueEntry[]} entries Which.
   * @param {Map<string, Attempt>} servers What is known of servers so far; brought up to date.
   */
  async #sendEach(entries, servers) {
    for (const entry of entries) {
      if (servers.get(entry.server) === 'unreachable') continue;
      const attempt = await this.#attempt(entry);
      if (attempt !== 'failed') servers.set(entry.server, attempt);
    }
  }

  /**
   * Send one part and settle it, or note why not.
   *
   * @param {QueueEntry} entry What to send.
   * @returns {Promise<Attempt>} What became of it.
   */
  async #attempt(entry) {
    try {
      await this.#deliver(entry);
      return 'sent';
    } catch (error) {
      await this.#note(afterFailure(entry, error, this.parts.now()));
      const isUnreachable = error instanceof BowerbirdError && UNREACHABLE.has(error.kind);
      return isUnreachable ? 'unreachable' : 'failed';
    }
  }

  /**
   * Send one part and settle it.
   *
   * @param {QueueEntry} entry What to send.
   */
  async #deliver(entry) {
    const { store, send } = this.parts;
    const { capture_id, added, known, refused } = await send(
      entry,
      await store.readBody(entry.capture_key),
    );
    const { capture_key, group_key, server, dataset_id, dataset_name, label } = entry;
    const place = { capture_key, group_key, server, dataset_id, dataset_name, label };
    await store.settle({ ...place, capture_id, added, known, refused });
  }

  /**
   * Send one part, or drop it when the server does not want it.
   *
   * @param {QueueEntry} entry What to send.
   */
  async #deliverOrDrop(entry) {
    try {
      await this.#deliver(entry);
    } catch (error) {
      if (!isLasting(error)) throw error;
      await this.parts.store.remove([entry.capture_key]);
    }
  }

  /**
   * Keep what is known of an entry, if the disk has room for it.
   *
   * @param {QueueEntry} entry The entry.
   */
  async #note(entry) {
    try {
      await this.parts.store.put([entry]);
    } catch {
      // Of a full disk: the entry stays as it was, and sending it is what makes room.
    }
  }

  /** Ask to be called when the next entry is due. */
  async #schedule() {
    await this.#step(() => this.#scheduleNext());
  }

  /**
   * Run a short step, none of which waits for the network; two at once could clear the alarm of a
   * new entry.
   *
   * @param {() => Promise<void>} step What to run.
   */
  async #step(step) {
    await this.parts.lock('step', step);
  }

  /** Look for the next entry and set the alarm for it. */
  async #scheduleNext() {
    const entries = (await this.parts.store.list()).filter(({ state }) => state === 'queued');
    const times = entries.map((entry) => entry.next_attempt_at_ms);
    const earliest = this.parts.now() + FIRST_DELAY_MS;
    await this.parts.schedule(times.length === 0 ? null : Math.max(earliest, Math.min(...times)));
  }
}

/**
 * Explain that a capture could not be stored.
 *
 * @param {unknown} error What the store threw.
 * @returns {BowerbirdError} For the person.
 */
function notKept(error) {
  const isFull = error instanceof Error && error.name === 'QuotaExceededError';
  return new BowerbirdError(
    'not-kept',
    isFull ? text('queueDiskFull') : text('queueNotKept', messageOf(error)),
  );
}
