/** Entry of the content script, imported by boot.js: reads the page that it runs in. */
import { AnswerCollector } from './answers.js';
import { MAX_CANDIDATES, scan } from './sites/index.js';

// A module is made once a page, however often boot.js imports it: the answers outlive a scan.
const collector = new AnswerCollector(document);

/**
 * Scan the current page.
 *
 * @param {number} [maxCount] How many candidates are enough.
 * @returns {import('../lib/types.js').PageScan} What the page holds.
 */
export function scanPage(maxCount = MAX_CANDIDATES) {
  return scan(document, collector.read(), new URL(location.href), maxCount);
}
