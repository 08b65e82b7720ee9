/**
 * Labels as buttons with their keys, in the legend of the grid and in the cleaner.
 */
import { h } from '../lib/dom.js';
import { labelColour } from '../lib/labels.js';

/** @typedef {import('./labelling.js').Labelling} Labelling */

/**
 * @param {string | null} key Does the same; null for none.
 * @param {string} text On it.
 * @param {{class: string, title?: string, 'data-testid'?: string, onclick: () => void}} attributes Of the button.
 * @returns {HTMLButtonElement} A button with its key before its text.
 */
export function keyButton(key, text, attributes) {
  return h(
    'button',
    { type: 'button', ...attributes },
    key !== null && h('kbd', {}, key),
    h('span', { class: 'key-text' }, text),
  );
}

/**
 * @param {Labelling} labelling Whose labels.
 * @param {string} style Class names of each.
 * @param {(label: string) => void} onLabel Told which was pressed.
 * @returns {HTMLButtonElement[]} A button for each label that has a key, in the order of the labels.
 */
export function labelButtons({ labels, keys }, style, onLabel) {
  const shown = [...keys].sort(([, a], [, b]) => labels.indexOf(a) - labels.indexOf(b));
  return shown.map(([key, label]) =>
    keyButton(key.toUpperCase(), label, {
      class: `${style} ${labelColour(label, labels)}`,
      title: `Label as “${label}”`,
      'data-testid': `key-${key}`,
      onclick: () => onLabel(label),
    }),
  );
}
