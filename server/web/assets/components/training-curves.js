/**
 * Curves of a training: its losses, redrawn in place as it goes on, and those of a search for a learning rate.
 */
import { lossText, lrAxis, lrText, neatEnd, stageSentence, thinned } from '../lib/curves.js';
import { h, replace, svg } from '../lib/dom.js';
import { count, percent } from '../lib/format.js';
import { factList } from './facts.js';
import { figure, plainTable, plot, PLOT, tableRows } from './figures.js';

/** @typedef {import('../lib/types.js').LrFinding} LrFinding */
/** @typedef {import('../lib/types.js').TrainingStage} TrainingStage */

/** The two lines of losses: told apart by dash and mark, not by colour alone. */
const LINES = /** @type {const} */ ([
  { member: 'train_loss', title: 'Training', look: 'is-training' },
  { member: 'valid_loss', title: 'Validation', look: 'is-validation' },
]);
/** What each suggestion of a search for a learning rate is, the one to begin with first. */
const SUGGESTIONS = /** @type {const} */ ([
  ['valley', 'Begin with'],
  ['steep', 'Steepest fall'],
  ['minimum', 'A tenth of the lowest'],
]);
/** Units of the drawing that a name of a suggestion takes, and the longest one. */
const NAME_HEIGHT = 16;
const LONGEST_NAME = 120;

/**
 * @param {string} look Of its line.
 * @param {number} x Where.
 * @param {number} y Where.
 * @returns {SVGElement} A mark on a line.
 */
function mark(look, x, y) {
  return look === 'is-training'
    ? svg('rect', { x: x - 4, y: y - 4, width: 8, height: 8, class: `chart-dot ${look}` })
    : svg('circle', { cx: x, cy: y, r: 5, class: `chart-dot ${look}` });
}

/** @returns {HTMLElement} Which line is which; screen readers have the table. */
function legend() {
  const items = LINES.map(({ title, look }) =>
    h(
      'li',
      {},
      svg(
        'svg',
        { viewBox: '0 0 36 12', width: 36, height: 12, class: 'chart' },
        svg('line', { x1: 0, x2: 36, y1: 6, y2: 6, class: `chart-line ${look}` }),
        mark(look, 18, 6),
      ),
      ` ${title}`,
    ),
  );
  return h('ul', { class: 'plain chart-legend small', 'aria-hidden': 'true' }, ...items);
}

/**
 * @param {TrainingStage[]} stages In order; not empty.
 * @param {number} updates In all.
 * @returns {SVGSVGElement} Losses over updates.
 */
function lossPlot(stages, updates) {
  const end = Math.max(updates, 1);
  const yEnd = neatEnd(Math.max(...stages.flatMap((each) => [each.train_loss, each.valid_loss])));
  const middle = Math.round(end / 2);
  /** @type {[number, string][]} */
  const xTicks = [...new Set([0, middle, end])].map((update) => [update / end, count(update)]);
  const says = { title: 'Losses of the training', text: stageSentence(stages, updates) };
  const axes = { xTitle: 'Updates', yTitle: 'Loss', xTicks, yEnd, yText: lossText, says };
  return plot(axes, (x, y) =>
    LINES.flatMap(({ member, look }) => {
      const places = stages.map((stage) => [x(stage.update / end), y(stage[member])]);
      return [
        svg('polyline', { points: places.join(' '), class: `chart-line ${look}` }),
        ...places.map(([left = 0, top = 0]) => mark(look, left, top)),
      ];
    }),
  );
}

/**
 * Losses and error rates of a training. What is unfolded or has the focus stays so when they are drawn anew.
 * @returns {{node: HTMLElement, update: (stages: TrainingStage[], updates: number) => void}} The figure, empty at first.
 */
export function trainingCurves() {
  const chart = h('div');
  const sentence = h('p', { 'data-testid': 'curve-sentence', 'aria-live': 'polite' });
  const head = ['Update', 'Training loss', 'Validation loss', 'Error rate'];
  const table = plainTable('Losses of the training', head, [], 'curves');
  const body = table.querySelector('tbody');
  const node = h(
    'div',
    { class: 'stack tight', hidden: true },
    sentence,
    legend(),
    figure(chart, table),
    h(
      'p',
      { class: 'muted small' },
      'Training images are augmented, so their loss lies above that of the validation images for ' +
        'most of a healthy training. Look out for an error rate that rises again.',
    ),
  );
  const update = (/** @type {TrainingStage[]} */ stages, /** @type {number} */ updates) => {
    node.hidden = stages.length === 0;
    if (stages.length === 0 || body === null) return;
    replace(chart, lossPlot(stages, updates));
    const rows = stages.map((stage) => [
      count(stage.update),
      lossText(stage.train_loss),
      lossText(stage.valid_loss),
      percent(stage.valid_error_rate),
    ]);
    replace(body, ...tableRows(rows));
    const text = stageSentence(stages, updates);
    if (sentence.textContent !== text) replace(sentence, text);
  };
  return { node, update };
}

/**
 * Names stand in steps, so that none is crossed by the line of another.
 * @param {LrFinding} finding What a search found.
 * @param {(lr: number) => number} x Where a learning rate is drawn.
 * @param {number} foot Where lines begin.
 * @returns {SVGElement[]} A line with a name at each suggestion.
 */
function suggestionMarks(finding, x, foot) {
  const marks = SUGGESTIONS.map(([name, title]) => ({ name, title, left: x(finding[name]) }));
  marks.sort((one, other) => one.left - other.left);
  // On the left, where there is room: there the loss is low as yet.
  const isLeft = (marks[0]?.left ?? 0) - LONGEST_NAME > PLOT.left;
  if (isLeft) marks.reverse();
  return marks.flatMap(({ name, title, left }, index) => {
    const top = PLOT.top + (index + 1) * NAME_HEIGHT;
    const at = isLeft
      ? { x: left - 6, 'text-anchor': 'end' }
      : { x: left + 6, 'text-anchor': 'start' };
    const look = name === 'valley' ? 'chart-suggestion is-first' : 'chart-suggestion';
    return [
      svg('line', { x1: left, x2: left, y1: foot, y2: top - NAME_HEIGHT / 2, class: look }),
      svg('text', { class: 'chart-tick', y: top, ...at }, title),
    ];
  });
}

/**
 * @param {LrFinding} finding What a search found.
 * @returns {SVGSVGElement} The loss over learning rates, with a line at each suggestion.
 */
function lrPlot(finding) {
  const { points } = finding;
  const { place, ticks } = lrAxis(points);
  const yEnd = neatEnd(Math.max(...points.map((point) => point.smoothed)));
  const named = SUGGESTIONS.map(([name, title]) => `${title}: ${lrText(finding[name])}`);
  const says = { title: 'Loss over learning rates', text: `${named.join(', ')}.` };
  const axes = {
    xTitle: 'Learning rate',
    yTitle: 'Loss, smoothed',
    xTicks: ticks,
    yEnd,
    yText: lossText,
    says,
  };
  return plot(axes, (x, y) => {
    const places = points.map((point) => `${x(place(point.lr))},${y(point.smoothed)}`);
    const marks = suggestionMarks(finding, (lr) => x(place(lr)), y(0));
    return [svg('polyline', { points: places.join(' '), class: 'chart-line' }), ...marks];
  });
}

/**
 * @param {LrFinding} finding What a search for a learning rate found.
 * @returns {HTMLElement} What it suggests, why, and what to do with it.
 */
export function findingCard(finding) {
  const rate = lrText(finding.valley);
  const shown = thinned(finding.points);
  const rows = shown.map((point) => [lrText(point.lr), lossText(point.smoothed)]);
  const summary =
    shown.length < finding.points.length
      ? `A table of ${count(shown.length)} of its ${count(finding.points.length)} points`
      : undefined;
  return h(
    'div',
    { class: 'stack tight', 'data-testid': 'finding' },
    factList(SUGGESTIONS.map(([name, title]) => [title, h('code', {}, lrText(finding[name]))])),
    figure(
      lrPlot(finding),
      plainTable('Losses of learning rates', ['Learning rate', 'Loss, smoothed'], rows, 'lr-curve'),
      summary,
    ),
    h(
      'p',
      { class: 'muted small' },
      'Suggestions differ with the seed; the curve is what counts. Give the first to a fine-tuning as its learning rate, or: ',
      h('code', {}, `bowerbird train --dataset NAME --recipe fine-tune --set lr=${rate}`),
    ),
  );
}
