/** Which addresses each run has found, so that what is told twice is kept once. */
import { MAX_SEEN } from '../content/scroll/collector.js';
import { passes } from '../lib/filters.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('../lib/scroll.js').ScrollRun} ScrollRun */
/** @typedef {Extract<import('../lib/scroll.js').ScrollReport, {type: 'found'}>} FoundReport */

/** Remembers addresses by run; a new worker reads them from the store. */
export class FoundAddresses {
  /** @param {Pick<import('./scroll-store.js').ScrollStore, 'read'>} store Keeps what was found. */
  constructor(store) {
    this.store = store;
    /** @type {Map<string, Set<string>>} */
    this.byRun = new Map();
  }

  /**
   * Choose what is to be kept of what a page found: what is new and passes the filters.
   *
   * @param {ScrollRun} run The run.
   * @param {FoundReport} report What was found; some of it perhaps told before.
   * @param {number} nowMs Milliseconds since 1970.
   * @returns {Promise<{heard: ScrollRun, fresh: Candidate[]}>} The run after that, and what is new.
   */
  async take(run, { candidates, phase, left_out }, nowMs) {
    const seen = new Set(await this.#read(run.run_id));
    const fresh = candidates
      .filter(({ url }) => !seen.has(url) && seen.add(url))
      .filter((candidate) => passes(candidate, run.filters))
      .slice(0, MAX_SEEN - run.found_count);
    const leftOut = left_out ?? run.left_out;
    const found_count = run.found_count + fresh.length;
    const count = Math.min(run.goal_count, found_count - this.#countIn(run, fresh, leftOut));
    const heard = { ...run, phase, count, found_count, left_out: leftOut, heard_at_ms: nowMs };
    return { heard, fresh };
  }

  /**
   * Count what was found but is left out.
   *
   * @param {ScrollRun} run The run.
   * @param {Candidate[]} fresh What is new.
   * @param {string[]} leftOut Addresses that are left out.
   * @returns {number} How many of these there are.
   */
  #countIn({ run_id }, fresh, leftOut) {
    const found = new Set(fresh.map(({ url }) => url));
    const known = this.byRun.get(run_id);
    return leftOut.filter((url) => found.has(url) || known?.has(url)).length;
  }

  /**
   * Remember what was kept.
   *
   * @param {string} runId Which run.
   * @param {Candidate[]} kept What is in the store since.
   */
  add(runId, kept) {
    for (const { url } of kept) this.byRun.get(runId)?.add(url);
  }

  /**
   * Forget a run.
   *
   * @param {string} runId Which run.
   */
  forget(runId) {
    this.byRun.delete(runId);
  }

  /**
   * Recall what a run has.
   *
   * @param {string} runId Which run.
   * @returns {Promise<Set<string>>} Its addresses.
   */
  async #read(runId) {
    const known = this.byRun.get(runId) ?? new Set(await this.#readUrls(runId));
    this.byRun.set(runId, known);
    return known;
  }

  /**
   * Read a run's addresses from the store.
   *
   * @param {string} runId Which run.
   * @returns {Promise<string[]>} Its addresses.
   */
  async #readUrls(runId) {
    return (await this.store.read(runId)).map(({ url }) => url);
  }
}
