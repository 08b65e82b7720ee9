/**
 * The bar of the selection at the foot of the window, and the legend of keys above the grid.
 */
import { h, replace, spoken } from '../lib/dom.js';
import { plural } from '../lib/format.js';
import { keyButton, labelButtons } from './label-keys.js';

/** @typedef {import('./labelling.js').Labelling} Labelling */
/** @typedef {import('../lib/types.js').ImageChange} ImageChange */

/**
 * @param {string} text On it.
 * @param {string} testId For tests.
 * @param {() => void} onclick Told of a press.
 * @param {string} [key] Does the same.
 * @returns {HTMLButtonElement} A small button.
 */
function button(text, testId, onclick, key) {
  return h(
    'button',
    { type: 'button', class: 'button small', 'data-testid': testId, onclick },
    text,
    key && h('kbd', { 'aria-hidden': 'true' }, key),
  );
}

/**
 * @param {Labelling} labelling Whose selection.
 * @param {AbortSignal} signal Of the view.
 * @returns {HTMLElement} The bar; hidden while nothing is selected.
 */
export function selectionBar(labelling, signal) {
  const { selection, actions } = labelling;
  const status = h('p', { class: 'selection-count', role: 'status', 'data-testid': 'selected' });
  const choice = h('select', { 'data-testid': 'bulk-label' });
  const set = (/** @type {ImageChange} */ change) => void actions.apply(selection.images, change);
  choice.addEventListener('change', () => {
    if (choice.value !== '') set({ label: choice.value });
    choice.value = '';
  });
  const tools = h(
    'div',
    { class: 'row' },
    h('label', { class: 'field inline' }, spoken('Label of the selected images'), choice),
    button('Exclude', 'bulk-exclude', () => set({ excluded: true }), 'X'),
    button('Include', 'bulk-include', () => set({ excluded: false })),
    button('Reviewed', 'bulk-review', () => set({ reviewed: true }), 'R'),
    button('Clear', 'bulk-clear', () => selection.clear(), 'Esc'),
  );
  const node = h(
    'section',
    { class: 'selection-bar', 'aria-label': 'Selection', 'data-testid': 'selection-bar' },
    status,
    tools,
  );
  const draw = () => {
    const isEmpty = selection.size === 0;
    // The status stays in the document, or its last change would not be read.
    node.classList.toggle('is-empty', isEmpty);
    document.body.classList.toggle('has-selection', !isEmpty);
    tools.hidden = isEmpty;
    status.textContent = isEmpty ? '' : `${plural(selection.size, 'image')} selected`;
  };
  const drawLabels = () =>
    replace(
      choice,
      h('option', { value: '' }, 'Label as…'),
      ...labelling.labels.map((name) => h('option', { value: name }, name)),
    );
  draw();
  drawLabels();
  labelling.listen({ onSelection: draw, onKeys: drawLabels }, signal);
  signal.addEventListener('abort', () => document.body.classList.remove('has-selection'), {
    once: true,
  });
  return node;
}

/**
 * @param {Labelling} labelling Whose keys.
 * @param {{signal: AbortSignal, onLabel: (label: string) => void, onHelp: () => void}} options Of the view.
 * @returns {HTMLElement} Each label with its key, to read and to press.
 */
export function keyLegend(labelling, { signal, onLabel, onHelp }) {
  const node = h('div', {
    class: 'legend',
    role: 'group',
    'aria-label': 'Keys',
    'data-testid': 'legend',
  });
  const draw = () => {
    const entries = labelButtons(labelling, 'legend-entry', onLabel);
    replace(
      node,
      ...entries,
      h('span', { class: 'legend-note' }, h('kbd', {}, 'X'), 'exclude'),
      h('span', { class: 'legend-note' }, h('kbd', {}, 'K'), 'keep'),
      h('span', { class: 'legend-note' }, h('kbd', {}, 'U'), 'undo'),
      keyButton('?', 'all keys', {
        class: 'legend-entry',
        'data-testid': 'keys-help',
        onclick: onHelp,
      }),
    );
  };
  draw();
  labelling.listen({ onKeys: draw }, signal);
  return node;
}
