/** Entry of the content script, imported by boot.js: reads the page that it runs in. */
import { AnswerCollector } from './answers.js';
import { OverlayControl } from './overlay/control.js';
import { findQuery } from './query.js';
import { MAX_CANDIDATES, locate, scan } from './sites/index.js';

// A module is made once a page, however often boot.js imports it: the answers outlive a scan.
const collector = new AnswerCollector(document);
const overlay = new OverlayControl({
  document,
  locate: () => locate(document, collector.read(), new URL(location.href)),
  findQuery: () => findQuery(document, new URL(location.href)),
});
overlay.start();

/**
 * Scan the current page.
 *
 * @param {number} [maxCount] How many candidates are enough.
 * @returns {import('../lib/types.js').PageScan} What the page holds, and what of it was left out by
 *   a click on its mark.
 */
export function scanPage(maxCount = MAX_CANDIDATES) {
  const page = scan(document, collector.read(), new URL(location.href), maxCount);
  return { ...page, left_out_urls: overlay.leftOut.list() };
}
