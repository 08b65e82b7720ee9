/** Says what a page holds, and why it gave less than it should. */
import { formatNumber, text, textCount } from './text.js';

/** @typedef {import('./types.js').PageScan} PageScan */

/** With fewer originals among the results, the site has changed; above, single results are odd. */
const USUAL_RATIO = 0.9;
/** Sites whose pages hold no originals: these come in answers to their scripts alone. */
const DATA_IN_ANSWERS = new Set(['duckduckgo']);

/**
 * Describe what was found on a page.
 *
 * @param {PageScan} scan What the page holds.
 * @returns {{text: string, note: string | null}} A summary, and what deserves attention.
 */
export function describePage(scan) {
  const { origin, candidates, site } = scan;
  const isEmpty = candidates.length === 0;
  const what =
    origin.query === null
      ? textCount('images', candidates.length)
      : textCount('imagesFor', candidates.length, origin.query);
  return {
    text: isEmpty ? '' : [what, ...(site === null ? [] : [site])].join(' · '),
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
  const { origin, site, state } = scan;
  const name = site ?? text('pageThis');
  switch (state) {
    case 'ok':
      return null;
    case 'blocked':
      return text('pageBlocked', name);
    case 'no-results':
      return origin.query === null
        ? text('pageNoResults', name)
        : text('pageNoResultsFor', name, origin.query);
    case 'nothing-found':
      return site === null ? text('pageNothing') : text('pageNothingOnSite', site);
    case 'partial':
      return explainPartial(scan);
  }
}

/**
 * Say why results have no original: the site changed, or their data came before we listened.
 *
 * @param {PageScan} scan What the page holds.
 * @returns {string} The sentence.
 */
function explainPartial(scan) {
  const { origin, candidates, site, tile_count, payload_count, without_original_count } = scan;
  const count = candidates.length + without_original_count;
  if (site === null || candidates.length >= count * USUAL_RATIO) {
    return text('pagePartial', formatNumber(without_original_count), formatNumber(count));
  }
  const change = text('pageChanged', site, formatNumber(candidates.length), formatNumber(count));
  const hasData = payload_count > 0 || DATA_IN_ANSWERS.has(origin.engine);
  return tile_count > payload_count && hasData ? `${change} ${text('pageLate')}` : change;
}
