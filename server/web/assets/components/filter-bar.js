/**
 * Search, order and filters above a dataset's images. What is chosen stands in the address bar; chips take it away.
 */
import { h, replace } from '../lib/dom.js';
import { activeFilters, changedQuery, SORTS, withoutFilters } from '../lib/filters.js';
import { hashFor } from '../lib/router.js';
import { filterPanel } from './filter-panel.js';

/** There is one panel on a page. */
const PANEL_ID = 'filter-panel';

/**
 * @param {{datasetId: string, query: URLSearchParams, signal: AbortSignal}} options Whose images, and the filters now.
 * @returns {{node: HTMLElement, update: (query: URLSearchParams) => void, focusSearch: () => void}} The bar; `update`
 *   follows the address.
 */
export function filterBar({ datasetId, query: first, signal }) {
  let query = first;
  const go = (/** @type {import('../lib/filters.js').Changes} */ changes) => {
    location.hash = hashFor('datasets', datasetId, changedQuery(query, changes));
  };
  const search = h('input', {
    type: 'search',
    placeholder: 'Title, address or hash',
    maxlength: 200,
    'aria-label': 'Search in these images',
    'data-testid': 'search',
    onchange: () => go({ q: search.value.trim() }),
  });
  const sort = h(
    'select',
    { 'aria-label': 'Order', 'data-testid': 'sort', onchange: () => go({ sort: sort.value }) },
    ...SORTS.map(([value, text]) => h('option', { value }, text)),
  );
  const panel = filterPanel({ datasetId, signal, onChange: go });
  const toggle = panelToggle(panel.node, () => panel.load(query));
  const chips = h('ul', { class: 'plain chips', 'aria-label': 'Filters that are on' });
  const drawChips = () => {
    const active = activeFilters(query);
    const hadFocus = chips.contains(document.activeElement);
    replace(
      chips,
      ...active.map((each) => chip(each, datasetId, query)),
      active.length > 1 && clearAll(datasetId, query),
    );
    chips.hidden = active.length === 0;
    if (hadFocus) (chips.querySelector('a') ?? search).focus();
  };
  const update = (/** @type {URLSearchParams} */ now) => {
    query = now;
    if (document.activeElement !== search) search.value = query.get('q') ?? '';
    sort.value = query.get('sort') ?? '';
    drawChips();
    panel.show(query);
    if (!panel.node.hidden) panel.load(query);
  };
  update(first);
  const tools = h('div', { class: 'toolbar' }, search, sort, toggle);
  return {
    node: h('div', { class: 'stack tight' }, tools, panel.node, chips),
    update,
    focusSearch: () => search.focus(),
  };
}

/**
 * @param {HTMLElement} panel Hidden until it is asked for.
 * @param {() => void} onOpen Told when it is.
 * @returns {HTMLElement} The button that shows and hides it.
 */
function panelToggle(panel, onOpen) {
  panel.id = PANEL_ID;
  panel.hidden = true;
  const toggle = h(
    'button',
    {
      type: 'button',
      class: 'button filter-toggle',
      'aria-expanded': 'false',
      'aria-controls': PANEL_ID,
      'data-testid': 'filters',
      onclick: () => {
        panel.hidden = !panel.hidden;
        toggle.setAttribute('aria-expanded', String(!panel.hidden));
        if (!panel.hidden) onOpen();
      },
    },
    'Filters',
  );
  return toggle;
}

/**
 * @param {{name: string, text: string}} filter One that is on.
 * @param {string} datasetId Whose images.
 * @param {URLSearchParams} query The filters.
 * @returns {HTMLElement} A chip whose press takes it away.
 */
function chip({ name, text }, datasetId, query) {
  return h(
    'li',
    {},
    h(
      'a',
      {
        class: 'chip is-removable',
        href: hashFor('datasets', datasetId, changedQuery(query, { [name]: null })),
        'data-testid': `chip-${name}`,
        'aria-label': `Take away the filter: ${text}`,
      },
      text,
      h('span', { 'aria-hidden': 'true' }, '×'),
    ),
  );
}

/**
 * @param {string} datasetId Whose images.
 * @param {URLSearchParams} query The filters.
 * @returns {HTMLElement} Takes all filters away.
 */
function clearAll(datasetId, query) {
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'chip', href: hashFor('datasets', datasetId, withoutFilters(query)) },
      'Clear all',
    ),
  );
}
