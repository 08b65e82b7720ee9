/**
 * Sites in the settings: remove everything of one, which ones are kept out, what was removed when.
 */
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { count, plural, timeElement } from '../lib/format.js';
import { amountsText } from '../lib/removal-words.js';
import { listBlockedSites, listRemovals, unblockSite } from '../lib/resources.js';
import { loadingNote, showFailure, toast } from './notices.js';
import { openSiteRemoval } from './site-removal.js';

/** @typedef {import('../lib/types.js').PastRemoval} PastRemoval */

/** Removals shown at once. */
const PAGE = 20;

/**
 * @param {{site: string, blocked_at: string}[]} sites Kept out.
 * @param {(site: string) => void} onUnblock Told of a press.
 * @returns {HTMLElement} A line for each.
 */
function blockedList(sites, onUnblock) {
  if (sites.length === 0) return h('p', { class: 'muted' }, 'No site is kept out.');
  return h(
    'ul',
    { class: 'plain stack tight', 'data-testid': 'blocked-sites' },
    ...sites.map(({ site, blocked_at }) =>
      h(
        'li',
        { class: 'row between' },
        h(
          'span',
          {},
          h('strong', {}, site),
          ' ',
          h('span', { class: 'muted small' }, timeElement(blocked_at)),
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'button small',
            'aria-label': `Let in again: ${site}`,
            onclick: () => onUnblock(site),
          },
          'Let in again',
        ),
      ),
    ),
  );
}

/**
 * @param {PastRemoval} removal Of before.
 * @returns {HTMLElement} A line.
 */
function removalRow(removal) {
  const used = removal.snapshots.length + removal.models.length;
  return h(
    'li',
    { 'data-testid': 'removal' },
    h('strong', {}, removal.site),
    ' ',
    h('span', { class: 'muted small' }, timeElement(removal.created_at)),
    h('br'),
    h(
      'span',
      { class: 'small' },
      removal.finished_at === null ? 'still going on: ' : '',
      amountsText(removal),
      used > 0 &&
        `; used by ${plural(removal.snapshots.length, 'snapshot')} and ${plural(removal.models.length, 'model')}`,
    ),
  );
}

/**
 * @param {import('../lib/types.js').Page<PastRemoval>} page The newest of them.
 * @returns {import('../lib/dom.js').Child[]} A line for each, and how many more there are.
 */
function pastList({ items, total }) {
  if (items.length === 0) return [h('p', { class: 'muted' }, 'Nothing has been removed yet.')];
  return [
    h('ul', { class: 'plain stack tight' }, ...items.map(removalRow)),
    total > items.length &&
      h('p', { class: 'muted small' }, `The newest ${count(items.length)} of ${count(total)}.`),
  ];
}

/**
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The card; it reads its lists itself.
 */
export function sitesCard(signal) {
  const blocked = h('div', {}, loadingNote());
  const removals = h('div', {});
  const draw = async () => {
    const [sites, past] = await Promise.all([
      listBlockedSites(signal),
      listRemovals({ limit: PAGE }, signal),
    ]);
    replace(
      blocked,
      blockedList(sites.items, (site) => void unblock(site)),
    );
    replace(removals, ...pastList(past));
  };
  const redraw = () => void draw().catch((error) => showFailure(blocked, error, signal, redraw));
  const unblock = async (/** @type {string} */ site) => {
    try {
      await unblockSite(site);
      toast(`${site} may be collected from again. What was removed does not come back by itself.`);
      await draw();
    } catch (error) {
      toast(explainError(error));
    }
  };
  const open = () => void openSiteRemoval({ signal }).then((isChanged) => isChanged && redraw());
  redraw();
  return h(
    'section',
    { class: 'card stack', 'data-testid': 'sites' },
    h('h2', {}, 'Sites'),
    h(
      'p',
      {},
      'When a site, or a person whose pictures it shows, asks for it: everything of it can be removed.',
    ),
    h(
      'div',
      {},
      h(
        'button',
        { type: 'button', class: 'button', 'data-testid': 'remove-site', onclick: open },
        'Remove everything of a site…',
      ),
    ),
    h('h3', {}, 'Kept out'),
    blocked,
    h('h3', {}, 'Removed so far'),
    removals,
  );
}
