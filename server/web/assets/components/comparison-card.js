/**
 * Before and after: two models on the same validation images, and what to conclude.
 */
import { basis, points, pValue } from '../lib/comparison.js';
import { h } from '../lib/dom.js';
import { percent } from '../lib/format.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Comparison} Comparison */

/**
 * @param {string} title Which model.
 * @param {string} id Its id.
 * @param {number | null} rate Its error rate.
 * @returns {HTMLElement} One line of the table.
 */
function row(title, id, rate) {
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, h('a', { href: hashFor('models', id) }, title)),
    h('td', { class: 'number' }, rate === null ? '\u2013' : percent(rate)),
  );
}

/**
 * @param {Comparison} found Of the server.
 * @returns {HTMLElement} Sentence, rates, interval and method.
 */
export function comparisonCard(found) {
  const [low, high] = found.interval;
  return h(
    'div',
    { class: 'stack tight', 'data-testid': 'comparison' },
    h('p', { 'data-testid': 'comparison-sentence' }, h('strong', {}, found.sentence)),
    found.image_count > 0 &&
      h(
        'table',
        { class: 'wide' },
        h(
          'thead',
          {},
          h('tr', {}, h('th', { scope: 'col' }, 'Model'), h('th', { scope: 'col' }, 'Error rate')),
        ),
        h(
          'tbody',
          {},
          row('Before', found.before_id, found.before_error_rate),
          row('After', found.after_id, found.after_error_rate),
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, 'Difference'),
            h('td', { class: 'number', 'data-testid': 'difference' }, points(found.difference)),
          ),
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, '95\u00a0% interval of it'),
            h('td', { class: 'number' }, `${points(low)} to ${points(high)}`),
          ),
        ),
      ),
    found.image_count > 0 && h('p', { class: 'muted small' }, basis(found)),
    found.image_count > 0 &&
      h(
        'p',
        { class: 'muted small' },
        `Interval: Bonett and Price 2012, for two rates on the same images. Chance: exact McNemar test, p ${
          found.p_value < 0.001 ? '' : '= '
        }${pValue(found.p_value)}.`,
      ),
  );
}
