/**
 * What all charts share: axes from zero, and the same numbers as a table under them.
 */
import { h, svg } from '../lib/dom.js';
import { percent } from '../lib/format.js';

/** @typedef {import('../lib/dom.js').Child} Child */

/** Units of the drawing, which scales with its place. */
export const PLOT = { width: 400, height: 260, left: 62, right: 26, top: 12, bottom: 44 };

/** Axis ends that give round ticks. */
const SCALES = [0.02, 0.04, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1];

/**
 * @param {number} largest What must fit, 0 to 1.
 * @returns {number} The end of an axis from zero.
 */
export function axisEndOf(largest) {
  return SCALES.find((end) => end >= largest) ?? 1;
}

/**
 * @param {Child[][]} rows The first cell of each names the row.
 * @returns {HTMLElement[]} Rows of a table's body.
 */
export function tableRows(rows) {
  return rows.map(([name, ...cells]) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, name),
      ...cells.map((cell) => h('td', { class: 'number' }, cell)),
    ),
  );
}

/**
 * @param {string} label What it is a table of.
 * @param {string[]} head Titles of the columns.
 * @param {Child[][]} rows The first cell of each names the row.
 * @param {string} [testId] For tests.
 * @returns {HTMLElement} A table that scrolls sideways when it must.
 */
export function plainTable(label, head, rows, testId) {
  return h(
    'div',
    { class: 'scroll-x', tabindex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      { class: 'wide', 'data-testid': testId },
      h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, ...tableRows(rows)),
    ),
  );
}

/**
 * @param {Element} chart Hidden from screen readers or named for them; they get the numbers from the table.
 * @param {HTMLElement} table The same numbers.
 * @param {string} [summary] What unfolds it.
 * @returns {HTMLElement} Both.
 */
export function figure(chart, table, summary = 'The same as a table') {
  return h(
    'figure',
    { class: 'figure' },
    chart,
    h('details', { class: 'as-table' }, h('summary', {}, summary), table),
  );
}

/**
 * @typedef {object} Axes
 * @property {string} xTitle Under the axis.
 * @property {string} yTitle Beside it.
 * @property {[number, string][]} xTicks Places 0 to 1 with their text.
 * @property {number} yEnd Where y ends, from 0.
 * @property {(value: number) => string} [yText] Of a tick of y; without it y is a rate.
 * @property {{title: string, text: string}} [says] Names and describes it to screen readers; without it it is hidden from them.
 */

/**
 * @param {Axes} axes What is measured.
 * @param {(x: (place: number) => number, y: (value: number) => number) => SVGElement[]} draw Gets the scales, gives what is drawn.
 * @returns {SVGSVGElement} The chart.
 */
export function plot({ xTitle, yTitle, xTicks, yEnd, yText = percent, says }, draw) {
  const { width, height, left, right, top, bottom } = PLOT;
  const x = (/** @type {number} */ place) => left + place * (width - left - right);
  const y = (/** @type {number} */ value) =>
    height - bottom - (value / yEnd) * (height - top - bottom);
  const lines = [0, 0.5, 1].flatMap((part) => {
    const value = part * yEnd;
    const at = { class: 'chart-tick', x: left - 8, y: y(value) + 4, 'text-anchor': 'end' };
    return [
      svg('line', { x1: left, x2: width - right, y1: y(value), y2: y(value), class: 'chart-grid' }),
      svg('text', at, yText(value)),
    ];
  });
  const marks = xTicks.map(([place, text]) =>
    svg(
      'text',
      { class: 'chart-tick', x: x(place), y: height - bottom + 18, 'text-anchor': 'middle' },
      text,
    ),
  );
  const middle = (height - bottom + top) / 2;
  return svg(
    'svg',
    {
      viewBox: `0 0 ${width} ${height}`,
      class: 'chart plot',
      ...(says ? { role: 'img' } : { 'aria-hidden': 'true' }),
    },
    ...(says ? [svg('title', {}, says.title), svg('desc', {}, says.text)] : []),
    ...lines,
    ...marks,
    svg('text', { class: 'chart-tick', x: x(0.5), y: height - 6, 'text-anchor': 'middle' }, xTitle),
    svg(
      'text',
      {
        class: 'chart-tick',
        x: 12,
        y: middle,
        'text-anchor': 'middle',
        transform: `rotate(-90 12 ${middle})`,
      },
      yTitle,
    ),
    ...draw(x, y),
  );
}
