/**
 * The head of a dataset's page: name, live counts, labels and states as filters.
 */
import { h } from '../lib/dom.js';
import { STATUS_WORDS } from '../lib/explain.js';
import { changedQuery } from '../lib/filters.js';
import { count, plural } from '../lib/format.js';
import { labelColour, labelNames } from '../lib/labels.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {import('../lib/types.js').Status} Status */

/** @type {Status[]} */
const TABS = ['ready', 'queued', 'downloading', 'duplicate', 'rejected'];
/** Views that are no state of an image. @type {[string, string][]} */
const OTHER_VIEWS = [
  ['alike', 'Alike'],
  ['captures', 'Captures'],
];

/**
 * @param {URLSearchParams} query The page's filters.
 * @returns {{view: string, label: string | null, excluded: boolean}} Read, with their defaults.
 */
export function readFilter(query) {
  const view = query.get('status') ?? 'ready';
  const isKnown = OTHER_VIEWS.some(([name]) => name === view) || TABS.some((tab) => tab === view);
  return {
    view: isKnown ? view : 'ready',
    label: query.get('label'),
    excluded: query.get('excluded') === 'true',
  };
}

/**
 * @param {string} href Where to.
 * @param {boolean} isCurrent Whether it is what is shown.
 * @param {string} className Its look.
 * @param {...import('../lib/dom.js').Child} children What stands on it.
 * @returns {HTMLElement} A link that says when it is current.
 */
function filterLink(href, isCurrent, className, ...children) {
  return h(
    'a',
    { href, class: className, ...(isCurrent ? { 'aria-current': 'true' } : {}) },
    ...children,
  );
}

/**
 * @param {Dataset} dataset With its counts.
 * @param {URLSearchParams} query The page's filters.
 * @returns {HTMLElement} The views: states and captures.
 */
export function viewTabs(dataset, query) {
  const { view, label } = readFilter(query);
  const to = (/** @type {string} */ status) =>
    hashFor('datasets', dataset.id, { status: status === 'ready' ? null : status, label });
  const tabs = TABS.filter((tab) => {
    const isTransient = tab === 'queued' || tab === 'downloading';
    return !isTransient || dataset.counts.status[tab] > 0 || tab === view;
  }).map((tab) =>
    filterLink(
      to(tab),
      tab === view,
      'tab',
      STATUS_WORDS[tab],
      h(
        'span',
        { class: 'tab-count', 'data-testid': `count-${tab}` },
        count(dataset.counts.status[tab]),
      ),
    ),
  );
  return h(
    'nav',
    { class: 'tabs', 'aria-label': 'Views' },
    ...tabs,
    ...OTHER_VIEWS.map(([name, title]) => filterLink(to(name), view === name, 'tab', title)),
    filterLink(hashFor('datasets/inbox', dataset.id), false, 'tab', 'Inbox'),
    filterLink(hashFor('snapshots', dataset.id), false, 'tab', 'Snapshots'),
    filterLink(hashFor('datasets/credits', dataset.id), false, 'tab', 'Credits'),
  );
}

/**
 * @param {Dataset} dataset With its counts.
 * @param {URLSearchParams} query The page's filters.
 * @returns {HTMLElement | null} The labels as filters, and the excluded ones; the other views have none.
 */
export function labelBar(dataset, query) {
  const { view, label, excluded } = readFilter(query);
  if (OTHER_VIEWS.some(([name]) => name === view)) return null;
  const names = labelNames(dataset);
  const to = (/** @type {string | null} */ name, isExcluded = excluded) => {
    const changes = { label: name, excluded: isExcluded ? 'true' : null };
    return hashFor('datasets', dataset.id, changedQuery(query, changes));
  };
  const chips = names.map((name) =>
    filterLink(
      to(name === label ? null : name),
      name === label,
      `chip ${labelColour(name, names)}`,
      name,
      view === 'ready' &&
        h('span', { class: 'tab-count' }, count(dataset.counts.labels[name]?.ready ?? 0)),
    ),
  );
  const toggle =
    view === 'ready' && (dataset.counts.excluded > 0 || excluded)
      ? filterLink(
          to(label, !excluded),
          excluded,
          'chip',
          'Excluded',
          h('span', { class: 'tab-count' }, count(dataset.counts.excluded)),
        )
      : null;
  const all = names.length > 0 ? filterLink(to(null), label === null, 'chip', 'All labels') : null;
  return h(
    'nav',
    { class: 'chips', 'aria-label': 'Labels', 'data-testid': 'labels' },
    all,
    ...chips,
    toggle,
  );
}

/**
 * @param {Dataset} dataset With its counts.
 * @returns {string} How many images there are, by what became of them.
 */
export function summaryText({ counts }) {
  const { status, excluded } = counts;
  const waiting = status.queued + status.downloading;
  const parts = [
    `${plural(status.ready, 'image')} ready`,
    waiting > 0 ? `${count(waiting)} on the way` : null,
    excluded > 0 ? `${count(excluded)} excluded` : null,
    status.rejected > 0 ? `${count(status.rejected)} rejected` : null,
    status.duplicate > 0 ? plural(status.duplicate, 'duplicate') : null,
  ];
  return parts.filter(Boolean).join(' · ');
}

/**
 * @param {Dataset} dataset What it shows at first.
 * @param {{onRename: () => void, onDelete: () => void}} actions Of its buttons.
 * @returns {{node: HTMLElement, update: (dataset: Dataset) => void}} The head; `update` follows counts and name.
 */
export function datasetHead(dataset, { onRename, onDelete }) {
  const title = h('h1', { tabindex: -1 });
  const description = h('p', { class: 'lead' });
  const summary = h('p', { class: 'muted', 'data-testid': 'summary' });
  const progress = h('progress', { class: 'fetch-progress', 'aria-label': 'Images fetched' });
  const node = h(
    'header',
    { class: 'page-head' },
    h('p', { class: 'crumbs' }, h('a', { href: hashFor('home') }, 'Datasets')),
    h(
      'div',
      { class: 'row between' },
      title,
      h(
        'div',
        { class: 'row' },
        h('button', { type: 'button', class: 'button', onclick: onRename }, 'Rename'),
        h(
          'button',
          { type: 'button', class: 'button', 'data-testid': 'delete-dataset', onclick: onDelete },
          'Delete',
        ),
      ),
    ),
    description,
    summary,
    progress,
  );
  const update = (/** @type {Dataset} */ now) => {
    const { status, total } = now.counts;
    const waiting = status.queued + status.downloading;
    title.textContent = now.name;
    description.textContent = now.description;
    description.hidden = !now.description;
    summary.textContent = summaryText(now);
    progress.max = Math.max(1, total);
    progress.value = total - waiting;
    progress.classList.toggle('is-done', waiting === 0);
  };
  update(dataset);
  return { node, update };
}
