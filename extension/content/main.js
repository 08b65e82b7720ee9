/** Entry of the content script, imported by boot.js: reads the page that it runs in. */
import { scan } from './sites/index.js';

/**
 * Scan the current page.
 *
 * @returns {import('../lib/types.js').PageScan} What the page holds.
 */
export function scanPage() {
  return scan(document, new URL(location.href));
}
