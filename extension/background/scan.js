/** Reads a tab's page by running the content script in it. */
import { ext } from '../lib/browser.js';
import { BowerbirdError, messageOf } from '../lib/errors.js';
import { text } from '../lib/text.js';

/** @typedef {import('../lib/types.js').PageScan} PageScan */

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
    injections = await ext.scripting.executeScript({
      target: { tabId },
      files: ['content/boot.js'],
    });
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
    await ext.scripting.executeScript({
      target: { tabId },
      files: ['content/reader.js'],
      world: 'MAIN',
    });
  } catch {
    // The page has been read; without its later answers the next scan says what it lacks.
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
