/**
 * The confusion matrix as a real table: counts, share of the row, and the images behind each mistake.
 */
import { h, spoken } from '../lib/dom.js';
import { count, percent, plural } from '../lib/format.js';

/**
 * @param {{value: number, share: number, isRight: boolean, says: string, onOpen: () => void}} cell One cell.
 * @returns {HTMLTableCellElement} A cell whose shade follows its share; its button shows the images.
 */
function matrixCell({ value, share, isRight, says, onOpen }) {
  const node = h('td', { class: isRight ? 'cell is-right' : 'cell is-wrong' });
  node.style.setProperty('--share', String(share));
  if (value === 0) {
    node.append(h('span', { class: 'cell-zero' }, '0'));
    return node;
  }
  node.append(
    h(
      'button',
      { type: 'button', class: 'cell-button', onclick: onOpen },
      h('strong', {}, count(value)),
      h('span', { class: 'small' }, percent(share, 0)),
      spoken(` ${says}: show the images`),
    ),
  );
  return node;
}

/**
 * @param {{matrix: number[][], classes: string[], onCell: (label: string, predicted: string) => void}} options Rows are labels, columns predictions; `onCell` is told which cell was chosen.
 * @returns {HTMLElement} The table in a box that scrolls sideways.
 */
export function confusionTable({ matrix, classes, onCell }) {
  const rows = classes.map((label, rowIndex) => {
    const row = matrix[rowIndex] ?? [];
    const total = row.reduce((sum, value) => sum + value, 0);
    const cells = classes.map((predicted, index) => {
      const value = row[index] ?? 0;
      return matrixCell({
        value,
        share: total > 0 ? value / total : 0,
        isRight: index === rowIndex,
        says: `labelled ${label}, predicted ${predicted}`,
        onOpen: () => onCell(label, predicted),
      });
    });
    return h('tr', {}, h('th', { scope: 'row' }, label), ...cells);
  });
  const table = h(
    'div',
    { class: 'scroll-x', tabindex: 0, role: 'region', 'aria-label': 'Confusion matrix' },
    h(
      'table',
      { class: 'confusion', 'data-testid': 'confusion' },
      h(
        'thead',
        {},
        h('tr', {}, h('td', {}), ...classes.map((name) => h('th', { scope: 'col' }, name))),
      ),
      h('tbody', {}, ...rows),
    ),
  );
  const hint =
    'Rows: what the label says. Columns: what the model says. Choose a number to see its images.';
  return h('div', { class: 'stack tight' }, h('p', { class: 'muted small' }, hint), table);
}

/**
 * @param {import('../lib/evaluation.js').ConfusedPair[]} pairs From `confusedPairs`.
 * @param {(label: string, predicted: string) => void} onCell Told which pair was chosen.
 * @returns {HTMLElement} What is taken for what; each pair's button shows its images.
 */
export function confusedList(pairs, onCell) {
  if (pairs.length === 0) {
    return h('p', {}, 'Nothing: it is right about every validation image.');
  }
  const items = pairs.map(({ label, predicted, count: wrong, total }) =>
    h(
      'li',
      {},
      h(
        'button',
        {
          type: 'button',
          class: 'button small',
          'data-testid': 'confused',
          onclick: () => onCell(label, predicted),
        },
        h('strong', {}, label),
        ' taken for ',
        h('strong', {}, predicted),
      ),
      h('span', { class: 'muted' }, `${count(wrong)} of ${plural(total, 'image')}`),
    ),
  );
  return h('ol', { class: 'plain confused' }, ...items);
}

/**
 * @param {import('../lib/evaluation.js').ClassRow[]} rows From `classRows`.
 * @returns {HTMLElement} Precision, recall and support of each class.
 */
export function classTable(rows) {
  const ratio = (/** @type {number | null} */ value) => (value === null ? '–' : percent(value));
  const head = ['Class', 'Precision', 'Recall', 'Images'].map((text) =>
    h('th', { scope: 'col' }, text),
  );
  return h(
    'div',
    { class: 'scroll-x', tabindex: 0, role: 'region', 'aria-label': 'Classes' },
    h(
      'table',
      { class: 'wide' },
      h('thead', {}, h('tr', {}, ...head)),
      h(
        'tbody',
        {},
        ...rows.map((row) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, row.label),
            h('td', { class: 'number' }, ratio(row.precision)),
            h('td', { class: 'number' }, ratio(row.recall)),
            h('td', { class: 'number' }, count(row.support)),
          ),
        ),
      ),
    ),
  );
}
