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
  if (await isShown(tabId, toast)) return;
  // Such as the browser's own image viewer or a store page: the title of the button has to do.
  await ext.action.setBadgeText({ tabId, text: toast.tone === 'busy' ? '…' : '!' });
  const best = toast.bars[0] === undefined ? '' : ` (${toast.bars[0].percent} %)`;
  await ext.action.setTitle({ tabId, title: `${toast.title}${best} ${toast.note}`.trim() });
}

/**
 * Try to show a toast in the page of a tab.
 *
 * @param {number} tabId The tab.
 * @param {Toast} toast What to show.
 * @returns {Promise<boolean>} Whether it is shown.
 */
async function isShown(tabId, toast) {
  try {
    const injecting = { target: { tabId }, func: show, args: /** @type {[Toast]} */ ([toast]) };
    const [injection] = await ext.scripting.executeScript(injecting);
    return injection?.result === true;
  } catch {
    return false;
  }
}

/**
 * Load what shows a toast, and show one. Runs in the page, hence it may use nothing from this file.
 *
 * @param {Toast} toast What to show.
 * @returns {Promise<boolean>} Whether it is shown; browsers differ in how they report an error.
 */
async function show(toast) {
  try {
    /** @type {unknown} */
    // eslint-disable-next-line no-restricted-globals, no-unsanitized/method -- nothing of lib/ is there
    const module = await import(chrome.runtime.getURL('content/toast.js'));
    /** @type {typeof import('../content/toast.js')} */ (module).showToast(toast);
    return true;
  } catch {
    return false;
  }
}
