/**
 * Two charts: whether probabilities can be believed, and what more images would bring.
 */
import { svg } from '../lib/dom.js';
import { count, percent } from '../lib/format.js';
import { axisEndOf, figure, plainTable, plot } from './figures.js';

/** @typedef {import('../lib/analysis.js').Bin} Bin */
/** @typedef {import('../lib/analysis.js').CurvePoint} CurvePoint */

/** Share of a bin's width that its bar leaves free on each side. */
const GAP = 0.1;

/**
 * @param {number | null} value A rate, where there is one.
 * @returns {string} It, or a dash.
 */
const rate = (value) => (value === null ? '–' : percent(value));

/**
 * @param {Bin[]} bins Lowest probability first.
 * @returns {HTMLElement} The reliability diagram and its table.
 */
export function reliabilityDiagram(bins) {
  /** @type {[number, string][]} */
  const ticks = [0, 0.5, 1].map((place) => [place, percent(place)]);
  const axes = { xTitle: 'Probability it gave', yTitle: 'Was right', xTicks: ticks, yEnd: 1 };
  const chart = plot(axes, (x, y) => [
    ...bins.flatMap((bin) => {
      if (bin.accuracy === null) return [];
      const gap = GAP * (bin.high - bin.low);
      return [
        svg('rect', {
          x: x(bin.low + gap),
          width: x(bin.high - gap) - x(bin.low + gap),
          y: y(bin.accuracy),
          height: y(0) - y(bin.accuracy),
          class: 'chart-bar is-model',
        }),
      ];
    }),
    svg('line', { x1: x(0), x2: x(1), y1: y(0), y2: y(1), class: 'chart-ideal' }),
  ]);
  const rows = bins
    .filter((bin) => bin.count > 0)
    .map((bin) => [
      `${percent(bin.low, 0)} to ${percent(bin.high, 0)}`,
      rate(bin.confidence),
      rate(bin.accuracy),
      count(bin.count),
    ]);
  const head = ['Probability', 'On average', 'Was right', 'Images'];
  return figure(chart, plainTable('Reliability', head, rows, 'reliability'));
}

/**
 * @param {CurvePoint[]} points Few images first.
 * @returns {HTMLElement} The learning curve and its table.
 */
export function learningCurve(points) {
  const most = points.at(-1)?.train_count ?? 1;
  const yEnd = axisEndOf(Math.max(...points.map((point) => point.highest)));
  /** @type {[number, string][]} */
  const ticks = [[0, '0'], ...points.map((point) => at(point))];
  /**
   * @param {CurvePoint} point One.
   * @returns {[number, string]} Its tick.
   */
  function at(point) {
    return [point.train_count / most, count(point.train_count)];
  }
  const axes = { xTitle: 'Training images', yTitle: 'Error rate', xTicks: ticks, yEnd };
  const chart = plot(axes, (x, y) => {
    const places = points.map((point) => `${x(at(point)[0])},${y(point.error_rate)}`);
    return [
      ...points.map((point) =>
        svg('line', {
          x1: x(at(point)[0]),
          x2: x(at(point)[0]),
          y1: y(point.lowest),
          y2: y(point.highest),
          class: 'chart-whisker',
        }),
      ),
      svg('polyline', { points: places.join(' '), class: 'chart-line' }),
      ...points.map((point) =>
        svg('circle', { cx: x(at(point)[0]), cy: y(point.error_rate), r: 5, class: 'chart-dot' }),
      ),
    ];
  });
  const rows = points.map((point) => [
    count(point.train_count),
    percent(point.error_rate),
    `${percent(point.lowest)} to ${percent(point.highest)}`,
  ]);
  const head = ['Training images', 'Error rate', 'Range of draws'];
  return figure(chart, plainTable('Learning curve', head, rows, 'learning-curve'));
}
