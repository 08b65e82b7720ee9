/** The pages that are connected with this worker, and which run each is of. */
import { isOpen } from './scroll-run.js';

/** @typedef {import('../lib/scroll.js').PagePort} PagePort */
/** @typedef {import('../lib/scroll.js').ScrollRun} ScrollRun */

/** Remembers ports for as long as this worker lives; the page's side greets the next one anew. */
export class ConnectedPages {
  constructor() {
    /** @type {Map<number, PagePort>} */
    this.byTab = new Map();
    /** @type {WeakMap<PagePort, string>} */
    this.runIds = new WeakMap();
  }

  /**
   * Learn which run a page is of.
   *
   * @param {ScrollRun[]} runs The runs of its tab.
   * @param {PagePort} port Its port.
   * @param {string | null} runId The run that it says it is of; null when it knows none yet.
   * @returns {ScrollRun | undefined} The run: for null, the one that waits for a page.
   */
  greet(runs, port, runId) {
    const run = runs.findLast((each) => (runId === null ? isOpen(each) : each.run_id === runId));
    if (run === undefined) return undefined;
    this.runIds.set(port, run.run_id);
    if (isOpen(run)) this.byTab.set(run.tab_id, port);
    return run;
  }

  /**
   * Forget a page that is gone.
   *
   * @param {number} tabId Its tab.
   * @param {PagePort} port Its port.
   * @returns {boolean} Whether it was the one of its tab.
   */
  leave(tabId, port) {
    return this.byTab.get(tabId) === port && this.byTab.delete(tabId);
  }
}
