/** The shortcut that captures a page at once, with the choices of the last time. */
import { messageOf } from '../lib/errors.js';
import { passes } from '../lib/filters.js';
import { describePage } from '../lib/page-words.js';
import { formatNumber, text, textCount } from '../lib/text.js';
import { capture } from './captures.js';
import { chooseLabel } from './proposal.js';

/** @typedef {import('../lib/types.js').CaptureOutcome} CaptureOutcome */
/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {import('../lib/types.js').PageScan} PageScan */
/** @typedef {import('./toast.js').Toast} Toast */

/** Its name in the manifest. */
export const CAPTURE_COMMAND = 'capture-page';

/**
 * @typedef {object} ShortcutParts
 * @property {import('./settings.js').SettingsStore} settings Knows the last choices.
 * @property {import('./queue.js').CaptureQueue} queue Sends the capture.
 * @property {string} client Name of this build for the server.
 * @property {(tabId: number) => Promise<PageScan>} scan Reads the page.
 * @property {(tabId: number, toast: Toast) => Promise<void>} show Tells the person, in the page.
 */

/** Captures without asking: what it lacks it says, and guesses nothing. */
export class Shortcut {
  /** @param {ShortcutParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
    /** Tabs being captured: a second press meanwhile would capture the same once more. */
    this.busyTabs = new Set();
  }

  /** @param {number} tabId The tab to capture. */
  async capture(tabId) {
    if (this.busyTabs.has(tabId)) return;
    this.busyTabs.add(tabId);
    const { show } = this.parts;
    try {
      await show(tabId, makeToast(text('capturing'), '', 'busy'));
      await show(tabId, await this.#run(tabId));
    } catch (error) {
      await show(tabId, missing(messageOf(error)));
    } finally {
      this.busyTabs.delete(tabId);
    }
  }

  /**
   * Capture, or find out what is missing.
   *
   * @param {number} tabId The tab.
   * @returns {Promise<Toast>} What became of it.
   */
  async #run(tabId) {
    const settings = await this.parts.settings.read();
    const dataset = settings.datasets.find(({ id }) => id === settings.dataset_id);
    if (settings.pairing === null) return missing(text('shortcutNotPaired'));
    if (dataset === undefined) return missing(text('shortcutNoDataset'));
    const scan = await this.parts.scan(tabId);
    const { origin } = scan;
    if (scan.candidates.length === 0) return missing(describePage(scan).note ?? '');
    const leftOut = new Set(scan.left_out_urls);
    const candidates = scan.candidates.filter(
      (each) => passes(each, settings.filters) && !leftOut.has(each.url),
    );
    if (candidates.length === 0) return missing(text('shortcutAllFiltered'));
    const { id, counts } = dataset;
    const labels = Object.keys(counts.labels);
    const label = chooseLabel(settings, { id, labels }, origin.query);
    if (label === '') return missing(text('shortcutNoLabel'));
    const outcome = await capture(this.parts, { dataset, label, origin, candidates });
    return describeOutcome(outcome, { dataset, label, count: candidates.length });
  }
}

/**
 * Put the outcome into words.
 *
 * @param {CaptureOutcome} outcome What became of the capture.
 * @param {{dataset: Dataset, label: string, count: number}} made What was captured, and where to.
 * @returns {Toast} What to show.
 */
function describeOutcome(outcome, { dataset, label, count }) {
  if (outcome.state === 'sent') {
    const { added, known, refused } = outcome.capture;
    const counts = [added, known, refused.length].map(formatNumber);
    const where = added > 0 ? 'shortcutWhereUndo' : 'shortcutWhere';
    return makeToast(text('shortcutCounts', ...counts), text(where, label, dataset.name), 'answer');
  }
  const title = text(outcome.state === 'queued' ? 'captureKept' : 'captureRefused');
  const note = textCount('shortcutWaiting', count, label, dataset.name, outcome.error);
  return makeToast(title, note, 'error');
}

/**
 * Say what the shortcut lacks.
 *
 * @param {string} note What, and what to do about it.
 * @returns {Toast} What to show.
 */
function missing(note) {
  return makeToast(text('nothingCaptured'), note, 'error');
}

/**
 * Make a toast without bars.
 *
 * @param {string} title First line.
 * @param {string} note Second line.
 * @param {Toast['tone']} tone What it is.
 * @returns {Toast} What to show.
 */
function makeToast(title, note, tone) {
  return { title, note, bars: [], tone };
}
