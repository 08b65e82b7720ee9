/** Tells the person something in the page, after "What is this?" and after the shortcut. */
import { ext } from '../lib/browser.js';

/** @typedef {import('../content/toast.js').Toast} Toast */

/**
 * Show a toast in a tab, or mark the toolbar button where the page can't be written to.
 *
 * @param {number} tabId The tab.
 * @param {Toast} toast What to show.
 */
export async function showInTab(tabId, toast) {
  /** @type {[string, Toast]} */
  const args = [ext.runtime.getURL('content/toast.js'), toast];
  if (await isShown(tabId, args)) return;
  // Such as the browser's own image viewer or a store page: the title of the button has to do.
  await ext.action.setBadgeText({ tabId, text: toast.tone === 'busy' ? '…' : '!' });
  const best = toast.bars[0] === undefined ? '' : ` (${toast.bars[0].percent} %)`;
  await ext.action.setTitle({ tabId, title: `${toast.title}${best} ${toast.note}`.trim() });
}

/**
 * Try to show a toast in the page of a tab.
 *
 * @param {number} tabId The tab.
 * @param {[string, Toast]} args What `show` takes.
 * @returns {Promise<boolean>} Whether it is shown.
 */
async function isShown(tabId, args) {
  try {
    const [injection] = await ext.scripting.executeScript({ target: { tabId }, func: show, args });
    return injection?.result === true;
  } catch {
    return false;
  }
}

/**
 * Load what shows a toast, and show one. Runs in the page, hence it may use nothing from this file.
 *
 * @param {string} address Of content/toast.js.
 * @param {Toast} toast What to show.
 * @returns {Promise<boolean>} Whether it is shown; browsers differ in how they report an error.
 */
async function show(address, toast) {
  try {
    /** @type {unknown} */
    // eslint-disable-next-line no-unsanitized/method -- an address of the extension's own
    const module = await import(address);
    /** @type {typeof import('../content/toast.js')} */ (module).showToast(toast);
    return true;
  } catch {
    return false;
  }
}
