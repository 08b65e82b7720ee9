/**
 * The filters in full: what the dataset's images offer to choose from, with how many there are of each.
 */
import { h, replace } from '../lib/dom.js';
import { explainReason } from '../lib/explain.js';
import { facetValues, HINT_WORDS } from '../lib/filters.js';
import { count } from '../lib/format.js';
import { listSnapshots, readFacets } from '../lib/resources.js';

/** @typedef {import('../lib/types.js').Facets} Facets */
/** @typedef {import('../lib/filters.js').Changes} Changes */
/** @typedef {{value: string, text: string}} Choice */

/** Filters whose values come from the images, and how a value is said. @type {[string, string, (value: string) => string][]} */
const CHOSEN = [
  ['engine', 'Search engine', (value) => value],
  ['query', 'Query', (value) => value],
  ['site', 'Site', (value) => value],
  ['reason', 'Reason of rejection', (value) => explainReason(value).title],
  ['hint', 'Looks', (value) => HINT_WORDS[value] ?? value],
  ['reviewed', 'Reviewed', (value) => (value === 'true' ? 'yes' : 'no')],
];

/** @type {[string, string, Record<string, string | number>][]} */
const TYPED = [
  ['min_px', 'Shorter side from (px)', { type: 'number', min: 1, max: 100_000 }],
  ['max_px', 'Shorter side up to (px)', { type: 'number', min: 1, max: 100_000 }],
  ['captured_from', 'Captured from', { type: 'date' }],
  ['captured_to', 'Captured up to', { type: 'date' }],
];

/**
 * @param {HTMLSelectElement} select Filled anew; its value is kept.
 * @param {Choice[]} choices Besides "any".
 * @param {string | null} chosen What the address says; offered even if no image has it.
 */
function fillChoices(select, choices, chosen) {
  const isKnown = !chosen || choices.some(({ value }) => value === chosen);
  const all = isKnown ? choices : [{ value: chosen, text: chosen }, ...choices];
  replace(
    select,
    h('option', { value: '' }, 'any'),
    ...all.map(({ value, text }) => h('option', { value }, text)),
  );
  select.value = chosen ?? '';
}

/**
 * @param {{datasetId: string, signal: AbortSignal, onChange: (changes: Changes) => void}} options Whose images, and
 *   whom to tell of a choice.
 * @returns {{node: HTMLElement, show: (query: URLSearchParams) => void, load: (query: URLSearchParams) => void}} The panel;
 *   `show` follows the address, `load` asks what there is to choose from.
 */
export function filterPanel({ datasetId, signal, onChange }) {
  const selects = new Map(CHOSEN.map(([name]) => [name, choice(name, onChange)]));
  const inputs = new Map(
    TYPED.map(([name, , attributes]) => [name, field(name, attributes, onChange)]),
  );
  const split = h(
    'select',
    {
      'data-testid': 'filter-split',
      onchange: () => {
        const [snapshot = '', side = ''] = split.value.split(' ');
        onChange({ snapshot, split: side });
      },
    },
    h('option', { value: '' }, 'any'),
  );
  const message = h('p', { class: 'message', role: 'status' });
  const show = (/** @type {URLSearchParams} */ query) => {
    for (const [name, select] of selects) select.value = query.get(name) ?? '';
    for (const [name, input] of inputs) input.value = query.get(name) ?? '';
    split.value = splitValue(query);
  };
  const load = async (/** @type {URLSearchParams} */ query) => {
    const [facets, snapshots] = await Promise.all([
      readFacets(datasetId, signal),
      listSnapshots(datasetId, signal),
    ]);
    for (const [name, , words] of CHOSEN) {
      const select = selects.get(name);
      if (select) fillChoices(select, facetChoices(facets, name, words), query.get(name));
    }
    fillChoices(split, splitChoices(snapshots.items), splitValue(query) || null);
    replace(message);
  };
  const fields = [
    ...CHOSEN.map(([name, title]) => labelled(title, selects.get(name))),
    ...TYPED.map(([name, title]) => labelled(title, inputs.get(name))),
    labelled('Side of a snapshot', split),
  ];
  return {
    node: h('div', { class: 'filter-panel', 'data-testid': 'filter-panel' }, ...fields, message),
    show,
    load: (query) =>
      void load(query).catch(() => {
        if (!signal.aborted) {
          replace(message, 'What there is to choose from cannot be read just now.');
        }
      }),
  };
}

/**
 * @param {Facets} facets From the server.
 * @param {string} name Of a filter.
 * @param {(value: string) => string} words Says a value.
 * @returns {Choice[]} With how many images of the dataset each has.
 */
function facetChoices(facets, name, words) {
  return facetValues(facets, name).map(({ value, count: number }) => ({
    value,
    text: `${words(value)} (${count(number)})`,
  }));
}

/**
 * @param {import('../lib/types.js').Snapshot[]} snapshots Newest first.
 * @returns {Choice[]} Both sides of each.
 */
function splitChoices(snapshots) {
  return snapshots.flatMap(({ id, created_at, counts }) =>
    /** @type {const} */ (['train', 'valid']).map((side) => ({
      value: `${id} ${side}`,
      text: `${created_at.slice(0, 16).replace('T', ' ')}: ${side === 'train' ? 'training' : 'validation'} (${count(counts[side])})`,
    })),
  );
}

/**
 * @param {URLSearchParams} query The filters.
 * @returns {string} As the list of sides has it.
 */
function splitValue(query) {
  const [snapshot, side] = [query.get('snapshot'), query.get('split')];
  return snapshot && side ? `${snapshot} ${side}` : '';
}

/**
 * @param {string} name Of a filter.
 * @param {(changes: Changes) => void} onChange Told of a choice.
 * @returns {HTMLSelectElement} An empty list.
 */
function choice(name, onChange) {
  const select = h(
    'select',
    { 'data-testid': `filter-${name}`, onchange: () => onChange({ [name]: select.value }) },
    h('option', { value: '' }, 'any'),
  );
  return select;
}

/**
 * @param {string} name Of a filter.
 * @param {Record<string, string | number>} attributes Of its field.
 * @param {(changes: Changes) => void} onChange Told of a valid value.
 * @returns {HTMLInputElement} A field.
 */
function field(name, attributes, onChange) {
  const input = h('input', {
    ...attributes,
    'data-testid': `filter-${name}`,
    onchange: () => {
      if (input.reportValidity()) onChange({ [name]: input.value });
    },
  });
  return input;
}

/**
 * @param {string} title What it is.
 * @param {HTMLElement | undefined} control What is chosen by.
 * @returns {HTMLElement} Both.
 */
const labelled = (title, control) => h('label', { class: 'field' }, title, control);
