/** Sentences of the popup that depend on counts. */
import { makeLink, plural } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').PageScan} PageScan */

/** With fewer originals among the results, the site has changed; above, single results are odd. */
const USUAL_RATIO = 0.9;
/** Sites whose pages hold no originals: these come in answers to their scripts alone. */
const DATA_IN_ANSWERS = new Set(['duckduckgo']);
const LATE_HINT =
  'Or the rest was loaded before Bowerbird looked: scroll on, or search again in this page, then open this again.';

/**
 * Describe what was found on a page.
 *
 * @param {PageScan} scan What the page holds.
 * @returns {{text: string, note: string | null}} A summary, and what deserves attention.
 */
export function describePage(scan) {
  const { origin, candidates, site } = scan;
  const what = forQuery(origin.query);
  const where = site === null ? '' : ` · ${site}`;
  const isEmpty = candidates.length === 0;
  return {
    text: isEmpty ? '' : `${plural(candidates.length, 'image')}${what}${where}`,
    note: explainState(scan),
  };
}

/**
 * Say why a page gave less than it should.
 *
 * @param {PageScan} scan What the page holds.
 * @returns {string | null} The sentence; null when there is nothing to say.
 */
function explainState(scan) {
  const { origin, candidates, site, state, without_original_count } = scan;
  const name = site ?? 'This page';
  const what = forQuery(origin.query);
  const count = candidates.length + without_original_count;
  switch (state) {
    case 'ok':
      return null;
    case 'blocked':
      return `Blocked by a captcha: ${name} asks whether you are a robot. Answer it there, then try again.`;
    case 'no-results':
      return `No results: ${name} has no images${what}.`;
    case 'nothing-found':
      return site === null
        ? 'Nothing found here: this page shows no images that can be captured.'
        : `Nothing found here: this page of ${site} shows no results that Bowerbird knows how to read.`;
    case 'partial':
      return explainPartial(scan, count);
  }
}

/**
 * Say why results have no original: the site changed, or their data came before we listened.
 *
 * @param {PageScan} scan What the page holds.
 * @param {number} count How many results it has.
 * @returns {string} The sentence.
 */
function explainPartial(scan, count) {
  const { origin, candidates, site, tile_count, payload_count, without_original_count } = scan;
  if (site === null || candidates.length >= count * USUAL_RATIO) {
    return `${without_original_count} of ${count} left out: only a thumbnail is known.`;
  }
  const change = `${site} changed its page: ${candidates.length} of ${count} with originals.`;
  const hasData = payload_count > 0 || DATA_IN_ANSWERS.has(origin.engine);
  return tile_count > payload_count && hasData ? `${change} ${LATE_HINT}` : change;
}

/**
 * Name what was searched for.
 *
 * @param {string | null} query The query, if the page answers one.
 * @returns {string} For the end of a sentence.
 */
function forQuery(query) {
  return query === null ? '' : ` for “${query}”`;
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
