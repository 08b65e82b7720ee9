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
      h(
        'tbody',
        {},
        ...rows.map(([name, ...cells]) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, name),
            ...cells.map((cell) => h('td', { class: 'number' }, cell)),
          ),
        ),
      ),
    ),
  );
}

/**
 * @param {SVGSVGElement} chart Hidden from screen readers: they get the table.
 * @param {HTMLElement} table The same numbers.
 * @returns {HTMLElement} Both.
 */
export function figure(chart, table) {
  return h(
    'figure',
    { class: 'figure' },
    chart,
    h('details', { class: 'as-table' }, h('summary', {}, 'The same as a table'), table),
  );
}

/**
 * @param {{xTitle: string, yTitle: string, xTicks: [number, string][], yEnd: number}} axes Ticks of x are places 0 to 1 with their text; y goes from 0 to `yEnd`, a rate.
 * @param {(x: (place: number) => number, y: (rate: number) => number) => SVGElement[]} draw Gets the scales, gives what is drawn.
 * @returns {SVGSVGElement} The chart.
 */
export function plot({ xTitle, yTitle, xTicks, yEnd }, draw) {
  const { width, height, left, right, top, bottom } = PLOT;
  const x = (/** @type {number} */ place) => left + place * (width - left - right);
  const y = (/** @type {number} */ rate) =>
    height - bottom - (rate / yEnd) * (height - top - bottom);
  const lines = [0, 0.5, 1].flatMap((part) => {
    const rate = part * yEnd;
    const at = { class: 'chart-tick', x: left - 8, y: y(rate) + 4, 'text-anchor': 'end' };
    return [
      svg('line', { x1: left, x2: width - right, y1: y(rate), y2: y(rate), class: 'chart-grid' }),
      svg('text', at, percent(rate)),
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
    { viewBox: `0 0 ${width} ${height}`, class: 'chart plot', 'aria-hidden': 'true' },
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
