/**
 * Progress as a native bar with words.
 */
import { h } from '../lib/dom.js';
import { count } from '../lib/format.js';

/**
 * @param {{done: number, total: number, label: string, message?: string | null}} progress How far; total 0 = unknown.
 * @returns {HTMLElement} The bar.
 */
export function progressBar({ done, total, label, message = null }) {
  const isKnown = total > 0;
  return h(
    'div',
    { class: 'progress' },
    h(
      'div',
      { class: 'row between' },
      h('span', {}, label),
      isKnown && h('span', { class: 'muted tabular' }, `${count(done)} of ${count(total)}`),
    ),
    h('progress', { 'aria-label': label, ...(isKnown ? { value: done, max: total } : {}) }),
    h('p', { class: 'muted small' }, message ?? '\u00a0'),
  );
}
