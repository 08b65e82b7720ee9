/**
 * Error rate beside its baselines: a bar chart in SVG with the same numbers as a table under it.
 */
import { svg } from '../lib/dom.js';
import { percent } from '../lib/format.js';
import { axisEndOf, figure, plainTable } from './figures.js';

/** @typedef {import('../lib/evaluation.js').Bar} Bar */

/** Pixels: a row is its title and, under it, its bar. */
const ROW = 58;
const BAR = 20;

/**
 * @param {Bar[]} bars All bars.
 * @returns {number} The end of the axis, 0 to 1.
 */
export function axisEnd(bars) {
  const largest = Math.max(
    0,
    ...bars.map((bar) => Math.max(bar.error_rate, bar.interval?.[1] ?? 0)),
  );
  return axisEndOf(largest);
}

/**
 * @param {Bar} bar One of them.
 * @param {number} index Its row.
 * @param {(ratio: number) => string} x Where a ratio is drawn, as a percentage: the chart is as wide as its place.
 * @returns {SVGElement[]} The row.
 */
function barRow(bar, index, x) {
  const top = index * ROW;
  const middle = top + 26 + BAR / 2;
  /** @type {SVGElement[]} */
  const parts = [
    svg('text', { x: 0, y: top + 18, class: 'chart-label' }, bar.title),
    svg('rect', {
      x: 0,
      y: middle - BAR / 2,
      width: x(bar.error_rate),
      height: BAR,
      rx: 4,
      class: bar.isModel ? 'chart-bar is-model' : 'chart-bar',
    }),
  ];
  if (bar.interval) {
    const [low, high] = [x(bar.interval[0]), x(bar.interval[1])];
    for (const [x1, x2, half] of /** @type {const} */ ([
      [low, high, 0],
      [low, low, 6],
      [high, high, 6],
    ])) {
      parts.push(
        svg('line', { x1, x2, y1: middle - half, y2: middle + half, class: 'chart-whisker' }),
      );
    }
  }
  const end = Math.max(bar.error_rate, bar.interval?.[1] ?? 0);
  const value = percent(bar.error_rate);
  parts.push(svg('text', { x: x(end), dx: 8, y: middle + 5, class: 'chart-value' }, value));
  return parts;
}

/**
 * @param {Bar[]} bars From `errorBars`.
 * @returns {SVGSVGElement} The chart; the table beside it is what screen readers get.
 */
function chart(bars) {
  const end = axisEnd(bars);
  const x = (/** @type {number} */ ratio) => `${((ratio / end) * 100).toFixed(2)}%`;
  const height = bars.length * ROW;
  const lines = [0, 0.25, 0.5, 0.75, 1].map((part) =>
    svg('line', { x1: x(part * end), x2: x(part * end), y1: 24, y2: height, class: 'chart-grid' }),
  );
  const marks = [0, 0.5, 1].map((part) =>
    svg('text', { x: x(part * end), y: height + 18, class: 'chart-tick' }, percent(part * end)),
  );
  // The last fifth is for the numbers beside the longest bar.
  const plot = svg(
    'svg',
    { width: '80%', overflow: 'visible' },
    ...lines,
    ...bars.flatMap((bar, index) => barRow(bar, index, x)),
    ...marks,
  );
  return svg(
    'svg',
    { width: '100%', height: height + 26, class: 'chart', 'aria-hidden': 'true' },
    plot,
  );
}

/**
 * @param {Bar[]} bars From `errorBars`.
 * @returns {HTMLElement} Chart and table.
 */
export function errorChart(bars) {
  const rows = bars.map((bar) => [
    bar.title,
    percent(bar.error_rate),
    bar.interval ? `${percent(bar.interval[0])} to ${percent(bar.interval[1])}` : '–',
  ]);
  const head = ['Method', 'Error rate', '95 % interval'];
  return figure(chart(bars), plainTable('Error rates', head, rows, 'baselines'));
}
