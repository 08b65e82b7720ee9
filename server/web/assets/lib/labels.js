/**
 * A colour for each label. Always beside the label's name, never instead of it.
 */
import { h } from './dom.js';

/** Hues far apart in this order (Okabe & Ito's set, as classes in components.css). */
const COLOUR_COUNT = 8;

/**
 * @param {string} name A label.
 * @param {string[]} names All labels of the dataset, in a fixed order.
 * @returns {string} A class name; the ninth label has the first's colour again.
 */
export function labelColour(name, names) {
  const index = names.indexOf(name);
  return index < 0 ? 'hue-none' : `hue-${String(index % COLOUR_COUNT)}`;
}

/**
 * @param {string | null} name A label; null for none.
 * @param {string[]} names All labels of the dataset.
 * @returns {HTMLElement} The name with its colour.
 */
export function labelTag(name, names) {
  return h('span', { class: `label-tag ${labelColour(name ?? '', names)}` }, name ?? 'no label');
}

// As a person sorts: 2 before 10.
const order = new Intl.Collator(undefined, { numeric: true });

/**
 * @param {string} a A label.
 * @param {string} b Another.
 * @returns {number} Below 0 where the first comes first.
 */
export function compareLabels(a, b) {
  return order.compare(a, b);
}

/**
 * @param {import('./types.js').Dataset} dataset A dataset.
 * @returns {string[]} Its labels, sorted, so that colours stay when counts change.
 */
export function labelNames(dataset) {
  return Object.keys(dataset.counts.labels).sort(compareLabels);
}
