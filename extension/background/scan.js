/** Reads a tab's page by running the content script in it. */
import { ext } from '../lib/browser.js';
import { BowerbirdError, messageOf } from '../lib/errors.js';
import { text } from '../lib/text.js';

/** @typedef {import('../lib/types.js').PageScan} PageScan */

/** The largest pages take a second; one that is busy for longer may be so for ever. */
const MAX_READ_MS = 15_000;

/**
 * Scan a page. Needs `activeTab` (the person clicked our button there) or a host permission.
 *
 * @param {number} tabId The tab.
 * @returns {Promise<PageScan>} What its page holds.
 * @throws {BowerbirdError} `page-not-readable`.
 */
export async function scanTab(tabId) {
  /** @type {{result?: unknown}[]} */
  let injections;
  try {
    injections = await runIn(tabId, 'content/boot.js', 'ISOLATED');
  } catch (error) {
    throw new BowerbirdError('page-not-readable', explain(messageOf(error)));
  }
  const result = /** @type {{scan?: PageScan, error?: string} | null | undefined} */ (
    injections[0]?.result
  );
  if (result?.scan === undefined) {
    throw new BowerbirdError('page-not-readable', explain(result?.error ?? text('noAnswer')));
  }
  if (result.scan.site !== null) await collectAnswers(tabId);
  return result.scan;
}

/**
 * From now on collect the answers that the site's scripts get, for the next scan: results that come
 * by scrolling are in these alone. Done for the known sites only.
 *
 * @param {number} tabId The tab.
 */
async function collectAnswers(tabId) {
  try {
    await runIn(tabId, 'content/reader.js', 'MAIN');
  } catch {
    // The page has been read; without its later answers the next scan says what it lacks.
  }
}

/**
 * Run a script in a tab's page, whatever the page does meanwhile.
 *
 * @param {number} tabId The tab.
 * @param {string} file The script.
 * @param {'ISOLATED' | 'MAIN'} world Ours or the page's own.
 * @returns {Promise<{result?: unknown}[]>} The value of the script; nothing when it is not there in time.
 * @throws {Error} The browser's, where it does not let us in.
 */
async function runIn(tabId, file, world) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never[]>} */
  const timeout = new Promise((resolve) => {
    timer = setTimeout(() => resolve([]), MAX_READ_MS);
  });
  // Not when the page is idle, as is usual: with 100,000 images Chromium says so after 30 s.
  const injection = { target: { tabId }, files: [file], world, injectImmediately: true };
  try {
    return await Promise.race([ext.scripting.executeScript(injection), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Explain why a page can't be read.
 *
 * @param {string} message The browser's message.
 * @returns {string} For the person.
 */
function explain(message) {
  return /cannot access|missing host permission|cannot be scripted|no tab with id/i.test(message)
    ? text('pageForbidden')
    : text('pageNotRead', message);
}
