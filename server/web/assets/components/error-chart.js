/**
 * Error rate beside its baselines: a bar chart in SVG with the same numbers as a table under it.
 */
import { h, svg } from '../lib/dom.js';
import { percent } from '../lib/format.js';

/** @typedef {import('../lib/evaluation.js').Bar} Bar */

/** In units of the view box; text is set in HTML-like sizes since the chart is never scaled up. */
const WIDTH = 640;
const ROW = 44;
const LEFT = 190;
const RIGHT = 76;

/** Axis ends that give round ticks. */
const SCALES = [0.02, 0.04, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1];

/**
 * @param {Bar[]} bars All bars.
 * @returns {number} The end of the axis, 0 to 1.
 */
export function axisEnd(bars) {
  const largest = Math.max(
    0,
    ...bars.map((bar) => Math.max(bar.error_rate, bar.interval?.[1] ?? 0)),
  );
  return SCALES.find((end) => end >= largest) ?? 1;
}

/**
 * @param {Bar} bar One of them.
 * @param {number} index Its row.
 * @param {(ratio: number) => number} x Where a ratio is drawn.
 * @returns {SVGGElement} The row.
 */
function barRow(bar, index, x) {
  const middle = index * ROW + ROW / 2;
  /** @type {SVGElement[]} */
  const parts = [
    svg(
      'text',
      { x: LEFT - 12, y: middle + 5, 'text-anchor': 'end', class: 'chart-label' },
      bar.title,
    ),
    svg('rect', {
      x: LEFT,
      y: middle - 11,
      width: Math.max(2, x(bar.error_rate) - LEFT),
      height: 22,
      rx: 4,
      class: bar.isModel ? 'chart-bar is-model' : 'chart-bar',
    }),
  ];
  let textAt = x(bar.error_rate) + 8;
  if (bar.interval) {
    const [low, high] = [x(bar.interval[0]), x(bar.interval[1])];
    const whisker = `M${low} ${middle - 7}V${middle + 7}M${low} ${middle}H${high}M${high} ${middle - 7}V${middle + 7}`;
    parts.push(svg('path', { d: whisker, class: 'chart-whisker' }));
    textAt = Math.max(textAt, high + 8);
  }
  parts.push(
    svg('text', { x: textAt, y: middle + 5, class: 'chart-value' }, percent(bar.error_rate)),
  );
  return svg('g', {}, ...parts);
}

/**
 * @param {Bar[]} bars From `errorBars`.
 * @returns {SVGSVGElement} The chart; the table beside it is what screen readers get.
 */
function chart(bars) {
  const end = axisEnd(bars);
  const x = (/** @type {number} */ ratio) => LEFT + (ratio / end) * (WIDTH - LEFT - RIGHT);
  const height = bars.length * ROW;
  const lines = [0, 0.25, 0.5, 0.75, 1].map((part) =>
    svg('line', { x1: x(part * end), x2: x(part * end), y1: 0, y2: height, class: 'chart-grid' }),
  );
  const marks = [0, 0.5, 1].map((part) =>
    svg(
      'text',
      { x: x(part * end), y: height + 20, 'text-anchor': 'middle', class: 'chart-tick' },
      percent(part * end),
    ),
  );
  return svg(
    'svg',
    {
      viewBox: `0 0 ${String(WIDTH)} ${String(height + 28)}`,
      class: 'chart',
      'aria-hidden': 'true',
    },
    ...lines,
    ...bars.map((bar, index) => barRow(bar, index, x)),
    ...marks,
  );
}

/**
 * @param {Bar[]} bars From `errorBars`.
 * @returns {HTMLElement} Chart and table.
 */
export function errorChart(bars) {
  const rows = bars.map((bar) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, bar.title),
      h('td', { class: 'number' }, percent(bar.error_rate)),
      h(
        'td',
        { class: 'number' },
        bar.interval ? `${percent(bar.interval[0])} to ${percent(bar.interval[1])}` : '–',
      ),
    ),
  );
  const head = ['Method', 'Error rate', '95 % interval'].map((text) =>
    h('th', { scope: 'col' }, text),
  );
  return h(
    'figure',
    { class: 'figure' },
    chart(bars),
    h(
      'details',
      { class: 'as-table' },
      h('summary', {}, 'The same as a table'),
      h(
        'table',
        { 'data-testid': 'baselines' },
        h('thead', {}, h('tr', {}, ...head)),
        h('tbody', {}, ...rows),
      ),
    ),
  );
}
