/** Sentences of the popup that depend on counts. */
import { makeLink, plural } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').PageScan} PageScan */

/**
 * Describe what was found on a page.
 *
 * @param {PageScan} scan What the page holds.
 * @returns {{text: string, note: string | null}} A summary, and what deserves attention.
 */
export function describePage({ origin, candidates, tile_count, left_out_count }) {
  const { engine, query } = origin;
  const what = query === null ? '' : ` for “${query}”`;
  const where = engine === 'generic' ? '' : ` · ${engine}`;
  const text = `${plural(candidates.length, 'image')}${what}${where}`;
  if (candidates.length === 0) {
    return {
      text: '',
      note: 'Nothing found here: this page shows no images that can be captured.',
    };
  }
  const unreadCount = tile_count - left_out_count - candidates.length;
  const isOdd = engine !== 'generic' && unreadCount > 0;
  return {
    text,
    note: isOdd
      ? `${unreadCount} of ${tile_count} results could not be read: the site may have changed.`
      : null,
  };
}

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
  const counts = [`${added} added`];
  if (isNew || known > 0) counts.push(`${known} known`);
  if (isNew || refused.length > 0) counts.push(`${refused.length} refused`);
  const reasons = countReasons(refused.map(({ reason }) => reason));
  return [
    `${isNew ? '' : 'Last: '}${counts.join(', ')}${reasons === '' ? '' : ` (${reasons})`} · “${label}” in `,
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
  return [...counts].map(([reason, count]) => `${count} × ${reason}`).join(', ');
}
