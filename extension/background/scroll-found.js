/** Which addresses each run has found, so that what is told twice is kept once. */
import { passes } from '../lib/filters.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('../lib/scroll.js').ScrollRun} ScrollRun */

/** Remembers addresses by run; a new worker reads them from the store. */
export class FoundAddresses {
  /** @param {Pick<import('./scroll-store.js').ScrollStore, 'read'>} store Keeps what was found. */
  constructor(store) {
    this.store = store;
    /** @type {Map<string, Set<string>>} */
    this.byRun = new Map();
  }

  /**
   * Choose what is to be kept of what a page found.
   *
   * @param {ScrollRun} run The run.
   * @param {Candidate[]} candidates What was found; some of it perhaps told before.
   * @returns {Promise<Candidate[]>} Those that are new and pass the filters, as many as are wanted.
   */
  async choose({ run_id, filters, goal_count, count }, candidates) {
    const seen = new Set(await this.#read(run_id));
    return candidates
      .filter(({ url }) => !seen.has(url) && seen.add(url))
      .filter((candidate) => passes(candidate, filters))
      .slice(0, goal_count - count);
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
