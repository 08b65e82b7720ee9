/** Ties runs of scrolling and capturing to the browser. */
import { describeEnd } from '../content/scroll/wording.js';
import { ext } from '../lib/browser.js';
import { BowerbirdError } from '../lib/errors.js';
import { text } from '../lib/text.js';
import { capture } from './captures.js';
import { indexedDbScrollStore } from './scroll-store.js';
import { ScrollRuns } from './scroll.js';
import { showInTab } from './toast.js';

/** What the page's side calls the port. */
const PORT = 'scroll';
const ALARM = 'tidy-up-scrolling';
const PERIOD_MINUTES = 5;

/**
 * Make the runs and listen for what concerns them. To be called as the worker starts, since the
 * browser looks for listeners at once.
 *
 * @param {object} services What they work with.
 * @param {import('./settings.js').SettingsStore} services.settings What is remembered.
 * @param {import('./queue.js').CaptureQueue} services.queue Captures on their way.
 * @param {string} services.client Name of this build for the server.
 * @param {(tabId: number) => Promise<import('../lib/types.js').PageScan>} services.scan Reads a page.
 * @returns {ScrollRuns} The runs.
 */
export function setUpScrolling({ settings, queue, client, scan }) {
  const runs = new ScrollRuns({
    store: indexedDbScrollStore(),
    settings,
    scan,
    inject,
    capture: (request, fixed) => capture({ settings, queue, client }, request, fixed),
    show,
    wakeUp: async (isNeeded) => {
      await (isNeeded
        ? ext.alarms.create(ALARM, { periodInMinutes: PERIOD_MINUTES })
        : ext.alarms.clear(ALARM));
    },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    now: () => Date.now(),
  });
  ext.runtime.onConnect.addListener((port) => {
    const { id, tab, frameId } = port.sender ?? {};
    const isOurs = port.name === PORT && id === ext.runtime.id && frameId === 0;
    if (isOurs && tab?.id !== undefined) runs.onConnect(tab.id, port);
  });
  ext.tabs.onRemoved.addListener((tabId) => void runs.onTabClosed(tabId));
  ext.alarms.onAlarm.addListener(({ name }) => {
    if (name === ALARM) void runs.tidyUp(false);
  });
  ext.runtime.onStartup.addListener(() => void runs.tidyUp(true));
  // Scripts of the former version, left in pages, can't reach this one.
  ext.runtime.onInstalled.addListener(() => void runs.tidyUp(true));
  // Whatever woke this worker: a capture that the former one did not finish is made now.
  void runs.tidyUp(false);
  return runs;
}

/**
 * Start the page's side in a tab.
 *
 * @param {number} tabId The tab.
 * @throws {BowerbirdError} `page-not-readable`.
 */
async function inject(tabId) {
  /** @type {{result?: unknown}[]} */
  const [injection] = await ext.scripting.executeScript({
    target: { tabId },
    files: ['content/scroll/boot.js'],
  });
  const { error } = /** @type {{error?: string}} */ (
    injection?.result ?? { error: text('noAnswer') }
  );
  if (error !== undefined) {
    throw new BowerbirdError('page-not-readable', text('pageNotRead', error));
  }
}

/**
 * Tell the person in the tab, when the page's side can't.
 *
 * @param {number} tabId The tab, perhaps closed.
 * @param {import('../lib/scroll.js').ScrollState} state The run, ended.
 */
async function show(tabId, state) {
  const { title, note, isTrouble } = describeEnd(state);
  try {
    await showInTab(tabId, { title, note, bars: [], tone: isTrouble ? 'error' : 'answer' });
  } catch {
    // The tab is closed: its images are in the dataset or in the queue, where the popup shows them.
  }
}
