/** How often the script in each tab may ask: a page that gets hold of it must not flood the server. */

/** Our own script asks twice a second at most, and some more while a person clicks and switches. */
const BURST_COUNT = 30;
const REFILL_PER_S = 3;
/** Tabs remembered; those that asked longest ago are forgotten, and have their burst again. */
const MAX_TABS = 500;

/** Counts requests by tab. An evicted worker forgets them: that happens to idle ones alone. */
export class Allowance {
  constructor() {
    /** @type {Map<number, {left: number, atMs: number}>} */
    this.tabs = new Map();
  }

  /**
   * Count a request.
   *
   * @param {number} tabId Where it comes from.
   * @returns {boolean} Whether it is allowed.
   */
  take(tabId) {
    const nowMs = Date.now();
    const { left, atMs } = this.tabs.get(tabId) ?? { left: BURST_COUNT, atMs: nowMs };
    const refilled = Math.min(BURST_COUNT, left + ((nowMs - atMs) / 1000) * REFILL_PER_S);
    this.tabs.delete(tabId);
    this.tabs.set(tabId, { left: Math.max(0, refilled - 1), atMs: nowMs });
    const [oldest] = this.tabs.keys();
    if (this.tabs.size > MAX_TABS && oldest !== undefined) this.tabs.delete(oldest);
    return refilled >= 1;
  }
}
