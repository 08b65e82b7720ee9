/** Keeps what was seen while scrolling: lists that remove what is scrolled past lose nothing by it. */

/** @typedef {import('../../lib/types.js').Candidate} Candidate */

/** Five times the largest number to be asked for: with filters, most may be left out. */
export const MAX_SEEN = 10_000;

/** Candidates by address, in the order in which they were first seen. */
export class Collector {
  constructor() {
    /** @type {Set<string>} */
    this.urls = new Set();
  }

  /** @returns {boolean} Whether it takes no more. */
  get isFull() {
    return this.urls.size >= MAX_SEEN;
  }

  /**
   * Take what the page holds now.
   *
   * @param {Candidate[]} candidates In page order.
   * @returns {Candidate[]} Those not seen before, ranked as if the page had always shown everything.
   */
  add(candidates) {
    const fresh = [];
    for (const candidate of candidates) {
      if (this.isFull) break;
      if (this.urls.has(candidate.url)) continue;
      fresh.push({ ...candidate, rank: this.urls.size });
      this.urls.add(candidate.url);
    }
    return fresh;
  }
}
