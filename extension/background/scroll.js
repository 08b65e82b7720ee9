/**
 * Runs of scrolling and capturing, as the background sees them. A page scrolls and reports; here is
 * kept what it found, and captured once it has ended, in whatever way: at its goal, by Stop, or with
 * its tab. A worker may be evicted at any point: all that must last is in the store.
 */
import { BowerbirdError } from '../lib/errors.js';
import { text } from '../lib/text.js';
import { finishRun } from './scroll-finish.js';
import { FoundAddresses } from './scroll-found.js';
import { readReport } from './scroll-messages.js';
import { ConnectedPages } from './scroll-pages.js';
import { findLeftover, isGoing, isOpen, makeRun, publish } from './scroll-run.js';

/** @typedef {import('../lib/types.js').PageScan} PageScan */
/** @typedef {import('../lib/scroll.js').PagePort} PagePort */
/** @typedef {import('../lib/scroll.js').ScrollEnd} ScrollEnd */
/** @typedef {import('../lib/scroll.js').ScrollReport} ScrollReport */
/** @typedef {import('../lib/scroll.js').ScrollRequest} ScrollRequest */
/** @typedef {import('../lib/scroll.js').ScrollRun} ScrollRun */
/** @typedef {import('../lib/scroll.js').ScrollState} ScrollState */

/** A page that was told to stop says so within a step; one that hangs does not. */
const STOP_PATIENCE_MS = 5000;

/**
 * @typedef {object} ScrollParts
 * @property {import('./scroll-store.js').ScrollStore} store Keeps runs.
 * @property {import('./settings.js').SettingsStore} settings Knows the filters and the server.
 * @property {(tabId: number) => Promise<PageScan>} scan Reads a page.
 * @property {(tabId: number) => Promise<void>} inject Starts the page's side.
 * @property {import('./scroll-finish.js').MakeCapture} capture Makes a capture.
 * @property {(tabId: number, state: ScrollState) => Promise<void>} show Tells the person, in the tab,
 *   when the page's side can't.
 * @property {(isNeeded: boolean) => Promise<void>} wakeUp Asks for `tidyUp` to be called from time to time.
 * @property {(ms: number) => Promise<void>} sleep Waits.
 * @property {() => number} now Milliseconds since 1970.
 */

/** All runs, at most one that goes on in each tab. */
export class ScrollRuns {
  /** @param {ScrollParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
    this.pages = new ConnectedPages();
    this.found = new FoundAddresses(parts.store);
    /** The end of what is being done for each tab. @type {Map<number, Promise<unknown>>} */
    this.turns = new Map();
  }

  /**
   * Start a run.
   *
   * @param {ScrollRequest} request What the person asks for.
   * @returns {Promise<ScrollState>} The run.
   * @throws {BowerbirdError} `page-not-readable`; `unexpected` while another goes on in the tab.
   */
  async start(request) {
    return this.#inTurn(request.tab_id, async () => {
      const { store, settings, scan, inject, wakeUp, now } = this.parts;
      const former = await this.#findRuns(request.tab_id);
      if (former.some(isOpen)) throw new BowerbirdError('unexpected', text('scrollGoesOn'));
      const { origin, state } = await scan(request.tab_id);
      if (state === 'blocked') throw new BowerbirdError('unexpected', text('scrollEndBlocked'));
      await store.remove(former.map(({ run_id }) => run_id));
      const run = makeRun({ request, origin, settings: await settings.read(), nowMs: now() });
      await store.put(run);
      await wakeUp(true);
      try {
        await inject(request.tab_id);
      } catch (error) {
        await store.remove([run.run_id]);
        throw error;
      }
      return publish(run);
    });
  }

  /**
   * Stop the run of a tab; what was found is captured.
   *
   * @param {number} tabId The tab.
   * @returns {Promise<ScrollState | null>} The run, which may take a moment to end.
   */
  async stop(tabId) {
    const port = this.pages.byTab.get(tabId);
    port?.postMessage({ type: 'stop' });
    // Without a port the page waits, unseen, and is told when it reports again.
    if (port === undefined) await this.#finishTab(tabId, 'stopped');
    else void this.#finishLater(tabId, this.pages.runIds.get(port));
    return this.read(tabId);
  }

  /**
   * Look at a tab's run.
   *
   * @param {number} tabId The tab.
   * @returns {Promise<ScrollState | null>} The last one; null when there was none.
   */
  async read(tabId) {
    const run = (await this.#findRuns(tabId)).at(-1);
    return run === undefined ? null : publish(run);
  }

  /**
   * Forget what came of a tab's runs.
   *
   * @param {number} tabId The tab.
   */
  async forget(tabId) {
    await this.#inTurn(tabId, async () => {
      const over = (await this.#findRuns(tabId)).filter((run) => !isOpen(run));
      await this.parts.store.remove(over.map(({ run_id }) => run_id));
    });
  }

  /**
   * Listen to a page.
   *
   * @param {number} tabId Its tab.
   * @param {PagePort} port The port that it opened.
   */
  onConnect(tabId, port) {
    port.onMessage.addListener((message) => {
      void this.#inTurn(tabId, () => this.#answer(tabId, port, message));
    });
    // The port of a worker that was evicted says nothing: this one lived to see its page go.
    port.onDisconnect.addListener(() => {
      if (!this.pages.leave(tabId, port)) return;
      void this.#finishTab(tabId, 'page-left', this.pages.runIds.get(port));
    });
  }

  /**
   * Capture what the page of a closed tab had found.
   *
   * @param {number} tabId The tab.
   */
  async onTabClosed(tabId) {
    await this.#finishTab(tabId, 'page-left');
    await this.forget(tabId);
  }

  /**
   * Finish what was left: runs whose capture was not made, and those of which nothing was heard for
   * long, such as of a page that the browser has put to sleep.
   *
   * @param {boolean} isNewSession Whether the browser has started: no page of before is there.
   */
  async tidyUp(isNewSession) {
    const { store, now, wakeUp } = this.parts;
    const runs = await store.list();
    // Another session gives its tabs other numbers.
    const over = isNewSession ? runs.filter((run) => !isOpen(run)) : [];
    await store.remove(over.map(({ run_id }) => run_id));
    for (const run of runs) {
      const end = findLeftover(run, {
        isNewSession,
        isHeard: this.pages.byTab.has(run.tab_id),
        nowMs: now(),
      });
      if (end !== null) await this.#inTurn(run.tab_id, () => this.#finish(run.run_id, end));
    }
    await wakeUp((await store.list()).some(isOpen));
  }

  /**
   * Answer a page.
   *
   * @param {number} tabId Its tab.
   * @param {PagePort} port Its port.
   * @param {unknown} message What it says, unchecked.
   */
  async #answer(tabId, port, message) {
    const runs = await this.#findRuns(tabId);
    const greeted = runs.find(({ run_id }) => run_id === this.pages.runIds.get(port));
    const { page_url } = (greeted ?? runs.at(-1))?.origin ?? { page_url: 'about:blank' };
    const report = readReport(message, new URL(page_url));
    if (report === null) return;
    const run = report.type === 'hello' ? this.pages.greet(runs, port, report.run_id) : greeted;
    const state = run === undefined ? null : await this.#take(run, report);
    const { id } = report;
    try {
      port.postMessage(state === null ? { type: 'gone', id } : { type: 'state', id, state });
    } catch {
      // The page went while it was answered for; its going is noticed elsewhere.
    }
  }

  /**
   * Act on what a page says.
   *
   * @param {ScrollRun} run Its run.
   * @param {ScrollReport} report What it says.
   * @returns {Promise<ScrollState | null>} The run after that; null when it could not be kept.
   */
  async #take(run, report) {
    try {
      if (report.type === 'end') return await this.#finish(run.run_id, report.end);
      if (report.type === 'hello' || !isGoing(run)) return publish(run);
      return publish(await this.#keep(run, report));
    } catch {
      // Such as of a full disk: what was kept until now can be captured, if anything can.
      return this.#finish(run.run_id, 'failed').catch(() => null);
    }
  }

  /**
   * Keep what a page found.
   *
   * @param {ScrollRun} run Its run.
   * @param {Extract<ScrollReport, {type: 'found'}>} report What it found.
   * @returns {Promise<ScrollRun>} The run with that.
   */
  async #keep(run, report) {
    const { heard, fresh } = await this.found.take(run, report, this.parts.now());
    await this.parts.store.add(heard, fresh);
    this.found.add(run.run_id, fresh);
    return heard;
  }

  /**
   * Stop a run whose page does not do so itself.
   *
   * @param {number} tabId The tab.
   * @param {string | undefined} runId Which run.
   */
  async #finishLater(tabId, runId) {
    await this.parts.sleep(STOP_PATIENCE_MS);
    await this.#finishTab(tabId, 'stopped', runId);
  }

  /**
   * Finish the run of a tab, if one goes on.
   *
   * @param {number} tabId The tab.
   * @param {ScrollEnd} end Why.
   * @param {string} [runId] Which run, where another may have been started since.
   */
  async #finishTab(tabId, end, runId) {
    await this.#inTurn(tabId, async () => {
      for (const run of await this.#findRuns(tabId)) {
        if (!isOpen(run) || run.run_id !== (runId ?? run.run_id)) continue;
        const state = await this.#finish(run.run_id, end);
        if (state !== null) await this.parts.show(tabId, state);
      }
    });
  }

  /**
   * Capture what a run has found.
   *
   * @param {string} runId Which run.
   * @param {ScrollEnd} end Why it ends; an earlier reason stays.
   * @returns {Promise<ScrollState | null>} The run, ended, or with the error that keeps it from that.
   */
  async #finish(runId, end) {
    this.found.forget(runId);
    const run = await finishRun(this.parts, runId, end);
    return run === null ? null : publish(run);
  }

  /**
   * Find the runs of a tab.
   *
   * @param {number} tabId The tab.
   * @returns {Promise<ScrollRun[]>} Its runs, oldest first.
   */
  async #findRuns(tabId) {
    return (await this.parts.store.list()).filter(({ tab_id }) => tab_id === tabId);
  }

  /**
   * Do one thing at a time for each tab.
   *
   * @template T
   * @param {number} tabId The tab.
   * @param {() => Promise<T>} run What to do.
   * @returns {Promise<T>} Its result.
   */
  async #inTurn(tabId, run) {
    const turn = (this.turns.get(tabId) ?? Promise.resolve()).then(run, run);
    this.turns.set(tabId, turn);
    try {
      return await turn;
    } finally {
      if (this.turns.get(tabId) === turn) this.turns.delete(tabId);
    }
  }
}
