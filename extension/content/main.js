/** Entry of the content script, imported by boot.js: reads the page that it runs in. */
import { scan } from './sites/index.js';

/**
 * Scan the current page.
 *
 * @param {string[]} [payloads] Answers that the page's own scripts got since it was loaded.
 * @returns {import('../lib/types.js').PageScan} What the page holds.
 */
export function scanPage(payloads = []) {
  return scan(document, payloads, new URL(location.href));
}
