/** Entry of scrolling and capturing, imported by boot.js: puts its parts together in a real page. */
import { ext } from '../../lib/browser.js';
import { scanPage } from '../main.js';
import { LinkLost, RunOver, ScrollLink } from './link.js';
import { ScrollLoop } from './loop.js';
import { ScrolledPage } from './page.js';
import { ScrollPanel } from './panel.js';

/** What the background calls the port. */
const PORT = 'scroll';

// A module is made once a page: one run at a time.
let isRunning = false;

/** Start the run that was asked for in this tab, unless one is going on. */
export function startScrolling() {
  if (isRunning) return;
  isRunning = true;
  void scrollAndReport().finally(() => {
    isRunning = false;
  });
}

/** Scroll, show how far it is, and hand on what is found. */
async function scrollAndReport() {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  /** @param {KeyboardEvent} event A key; the page may make some up. */
  const onKey = ({ key, isTrusted }) => isTrusted && key === 'Escape' && stop();
  addEventListener('keydown', onKey, { capture: true, signal: stopping.signal });
  const link = new ScrollLink({
    connect: () => ext.runtime.connect({ name: PORT }),
    sleep: (ms) => sleep(ms, new AbortController().signal),
    onStop: stop,
  });
  const panel = new ScrollPanel(document, stop);
  let count = 0;
  try {
    const { goal_count: goalCount, ...rest } = await link.open();
    panel.show({ ...rest, goal_count: goalCount });
    const page = new ScrolledPage(document, scanPage);
    const loop = new ScrollLoop({
      page,
      clock: { now: () => performance.now(), sleep, random: () => Math.random() },
      goalCount,
      report: async (fresh, phase) => {
        const state = await link.report(fresh, phase, page.leftOut);
        count = state.count;
        panel.show(state);
        return count;
      },
      signal: stopping.signal,
    });
    const end = await loop.run().catch(nameFailure);
    panel.showCapturing(count);
    panel.showEnd(await link.end(end));
  } catch (error) {
    if (error instanceof RunOver) panel.showEnd(error.state);
    else if (error instanceof LinkLost) panel.showLost(count);
    else throw error;
  } finally {
    stop();
  }
}

/**
 * Name what broke a run off; what was found until then is captured all the same.
 *
 * @param {unknown} error What was thrown.
 * @returns {import('../../lib/scroll.js').ScrollEnd} Why it ended.
 * @throws {LinkLost | RunOver} There is nobody, or nothing, to tell of an end.
 */
function nameFailure(error) {
  if (error instanceof LinkLost || error instanceof RunOver) throw error;
  return 'failed';
}

/**
 * Wait.
 *
 * @param {number} ms Milliseconds.
 * @param {AbortSignal} signal Ends it early.
 * @returns {Promise<void>} Settled when the time is over.
 */
function sleep(ms, signal) {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, signal.aborted ? 0 : ms);
    signal.addEventListener('abort', finish);
  });
}
