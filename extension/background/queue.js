/**
 * Captures on their way to the server. Each is stored before it is first sent and dropped after the
 * server has answered for it; its `capture_key` makes a second sending harmless. So the browser may
 * be closed, the worker evicted or the server stopped at any point.
 */
import { BowerbirdError, ServerProblem, messageOf } from '../lib/errors.js';

/** @typedef {import('../lib/types.js').QueueEntry} QueueEntry */
/** @typedef {import('../lib/types.js').CaptureReply} CaptureReply */

/** Alarms fire no earlier than this in any browser. */
const FIRST_DELAY_MS = 30_000;
const MAX_DELAY_MS = 30 * 60_000;
/** Refusals that pass by themselves: timeout, too many requests. */
const PASSING_STATUS = new Set([401, 408, 425, 429]);

/** With these, the other captures would fail in the same way, each after its timeout. */
const UNREACHABLE = new Set(['server-down', 'another-program']);

/**
 * @typedef {object} QueueParts
 * @property {import('./queue-store.js').QueueStore} store Where entries are kept.
 * @property {(entry: QueueEntry) => Promise<CaptureReply>} send Sends one to the server.
 * @property {(entry: QueueEntry, reply: CaptureReply) => Promise<void>} onSent Told before the entry is dropped.
 * @property {(atMs: number | null) => Promise<void>} schedule Asks to be called again; null cancels.
 * @property {<T>(run: () => Promise<T>) => Promise<T>} lock Runs one at a time, across all contexts.
 * @property {() => number} now Milliseconds since 1970.
 */

/** Sends captures in order, again and again until each is settled. */
export class CaptureQueue {
  /** @param {QueueParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
    /** The last of the short steps below: two at once could clear the alarm of a new entry. */
    this.lastStep = Promise.resolve();
  }

  /**
   * Store a capture; it is safe from here on.
   *
   * @param {Pick<QueueEntry, 'server' | 'dataset_id' | 'dataset_name' | 'body'>} capture What to send.
   */
  async add(capture) {
    await this.#inTurn(async () => {
      // Before as well: this worker may be evicted as soon as the entry is stored.
      await this.parts.schedule(this.parts.now() + FIRST_DELAY_MS);
      await this.parts.store.put({
        ...capture,
        capture_key: capture.body.capture_key,
        state: 'queued',
        attempt_count: 0,
        next_attempt_at_ms: this.parts.now(),
        error: null,
      });
      await this.#scheduleNext();
    });
  }

  /** @returns {Promise<QueueEntry[]>} What is not settled, oldest first. */
  async list() {
    return this.parts.store.list();
  }

  /** Send what is due, then ask to be called for the rest. */
  async sendDue() {
    await this.parts.lock(async () => {
      // Also before: this worker may be evicted while it sends.
      await this.#schedule();
      const now = this.parts.now();
      for (const entry of await this.parts.store.list()) {
        if (entry.state !== 'queued' || entry.next_attempt_at_ms > now) continue;
        const canGoOn = await this.#attempt(entry);
        if (!canGoOn) break;
      }
      await this.#schedule();
    });
  }

  /** Make everything due, what was refused included, and send it. */
  async retry() {
    await this.parts.lock(async () => {
      for (const entry of await this.parts.store.list()) {
        await this.parts.store.put({ ...entry, state: 'queued', next_attempt_at_ms: 0 });
      }
    });
    await this.sendDue();
  }

  /**
   * Drop a capture that the person gives up.
   *
   * @param {string | null} captureKey Which one; null for all.
   */
  async forget(captureKey) {
    await this.parts.lock(async () => {
      for (const { capture_key: each } of await this.parts.store.list()) {
        if (captureKey === null || captureKey === each) await this.parts.store.remove(each);
      }
      await this.#schedule();
    });
  }

  /**
   * Send one capture and settle it, or note why not.
   *
   * @param {QueueEntry} entry What to send.
   * @returns {Promise<boolean>} False when the others would fail in the same way.
   */
  async #attempt(entry) {
    let reply;
    try {
      reply = await this.parts.send(entry);
    } catch (error) {
      await this.parts.store.put(this.#afterFailure(entry, error));
      return !(error instanceof BowerbirdError && UNREACHABLE.has(error.kind));
    }
    await this.parts.onSent(entry, reply);
    await this.parts.store.remove(entry.capture_key);
    return true;
  }

  /**
   * Note a failure.
   *
   * @param {QueueEntry} entry What was sent.
   * @param {unknown} error What happened.
   * @returns {QueueEntry} The entry to keep.
   */
  #afterFailure(entry, error) {
    const attemptCount = entry.attempt_count + 1;
    return {
      ...entry,
      state: isLasting(error) ? 'refused' : 'queued',
      attempt_count: attemptCount,
      next_attempt_at_ms: this.parts.now() + delayAfter(attemptCount),
      error: messageOf(error),
    };
  }

  /** Ask to be called when the next entry is due. */
  async #schedule() {
    await this.#inTurn(() => this.#scheduleNext());
  }

  /**
   * Run a step after those that were begun before it. None of them waits for the network.
   *
   * @param {() => Promise<void>} step What to run.
   */
  async #inTurn(step) {
    const turn = this.lastStep.then(step);
    this.lastStep = turn.catch(() => undefined);
    await turn;
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
 * Tell a refusal that will be repeated from one that passes.
 *
 * @param {unknown} error What happened.
 * @returns {boolean} True when sending the same again is useless.
 */
function isLasting(error) {
  return error instanceof ServerProblem && error.status < 500 && !PASSING_STATUS.has(error.status);
}

/**
 * Wait longer after each failure.
 *
 * @param {number} attemptCount Failures so far, at least 1.
 * @returns {number} Milliseconds until the next attempt.
 */
export function delayAfter(attemptCount) {
  return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attemptCount - 1));
}
