/** Sentences of the popup that hold links and counts. */
import { formatNumber, text } from '../lib/text.js';
import { makeLink } from '../ui/dom.js';

/**
 * Describe what a capture did.
 *
 * @param {import('../lib/types.js').SentCapture} capture The server's answer.
 * @param {string} server Origin of the server.
 * @param {boolean} isNew Whether it was made just now.
 * @returns {(Node | string)[]} The sentence, with a link to the dataset.
 */
export function describeCapture(capture, server, isNew) {
  const { added, known, refused, dataset_id, dataset_name, label } = capture;
  const counts = [text('countAdded', formatNumber(added))];
  if (isNew || known > 0) counts.push(text('countKnown', formatNumber(known)));
  if (isNew || refused.length > 0) {
    counts.push(text('countRefused', formatNumber(refused.length)));
  }
  const reasons = countReasons(refused.map(({ reason }) => reason));
  const what = counts.join(', ') + (reasons === '' ? '' : ` (${reasons})`);
  return [
    `${isNew ? what : text('captureLast', what)} · ${text('captureWhere', label)} `,
    makeLink(`${server}/#/datasets/${encodeURIComponent(dataset_id)}`, dataset_name),
  ];
}

/**
 * Sum up reasons.
 *
 * @param {string[]} reasons One for each refused image.
 * @returns {string} For example `2 × bad-url`.
 */
function countReasons(reasons) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${formatNumber(count)} × ${reason}`).join(', ');
}
