/**
 * What a model's evaluation says, computed from its rows. Pure; only the validation split counts.
 */
import { baselineTitle } from './explain.js';
import { percent } from './format.js';

/** @typedef {import('./types.js').EvaluationItem} EvaluationItem */
/** @typedef {import('./types.js').Metrics} Metrics */
/** @typedef {{title: string, error_rate: number, interval: [number, number] | null, isModel: boolean}} Bar */
/** @typedef {{label: string, predicted: string, count: number, total: number}} ConfusedPair */
/** @typedef {{label: string, precision: number | null, recall: number | null, support: number}} ClassRow */

/** 97.5th percentile of the normal distribution: two-sided 95 %. */
const Z_95 = 1.959964;

/**
 * The range that the true error rate lies in, from a finite validation set.
 * Source: Wilson 1927, "Probable inference", JASA 22, 209-212.
 * @param {number} errors How many were wrong.
 * @param {number} total Out of how many.
 * @returns {[number, number]} The 95 % interval, within 0 to 1.
 */
export function wilsonInterval(errors, total) {
  if (total === 0) return [0, 1];
  const rate = errors / total;
  const z2 = Z_95 ** 2;
  const middle = rate + z2 / (2 * total);
  const half = Z_95 * Math.sqrt((rate * (1 - rate)) / total + z2 / (4 * total ** 2));
  const scale = 1 + z2 / total;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

/**
 * @param {import('./types.js').ModelWithEvaluation['evaluation']} evaluation As the server sends it.
 * @returns {EvaluationItem[]} The rows of the validation split.
 */
export function validationItems(evaluation) {
  const items = Array.isArray(evaluation) ? evaluation : (evaluation?.items ?? []);
  return items.filter((item) => item.split === 'valid');
}

/**
 * @param {Metrics} metrics Of a model.
 * @param {EvaluationItem[]} items Its validation rows, used where the metrics lack the interval.
 * @returns {Bar[]} The model first, then its baselines, best first.
 */
export function errorBars(metrics, items) {
  const wrong = items.filter((item) => item.label !== item.predicted).length;
  const interval =
    metrics.error_rate_interval ?? (items.length > 0 ? wilsonInterval(wrong, items.length) : null);
  // The two distances of pixel similarity are reported apart, too: the better one is enough here.
  // A model that is older than a baseline has null for it.
  const baselines = Object.entries(metrics.baselines ?? {}).flatMap(([name, value]) =>
    value === null || /_l[12]$/.test(name)
      ? []
      : [
          {
            title: baselineTitle(name),
            error_rate: typeof value === 'number' ? value : value.error_rate,
            interval: null,
            isModel: false,
          },
        ],
  );
  baselines.sort((a, b) => a.error_rate - b.error_rate);
  return [
    { title: 'This model', error_rate: metrics.error_rate, interval, isModel: true },
    ...baselines,
  ];
}

/**
 * An honest sentence about the model and the best thing that needs no training.
 * @param {Bar[]} bars From {@link errorBars}.
 * @returns {string} Whether it is better, and whether that is certain.
 */
export function verdict(bars) {
  const [model, best] = bars;
  if (!model || !best) return '';
  const name = `“${best.title.toLowerCase()}”`;
  if (model.error_rate >= best.error_rate) {
    return `No better than ${name}, which needs no network. Look at the labels, or collect more images.`;
  }
  if (model.interval && model.interval[1] >= best.error_rate) {
    return `Better than ${name}, but the validation set is too small to be sure of it.`;
  }
  return `Better than ${name}, by more than chance explains.`;
}

/**
 * @param {EvaluationItem[]} items Validation rows.
 * @param {string[]} classes The model's classes, in order.
 * @returns {number[][]} Counts: row = labelled as, column = predicted.
 */
export function confusionMatrix(items, classes) {
  const place = new Map(classes.map((name, index) => [name, index]));
  const matrix = classes.map(() => classes.map(() => 0));
  for (const item of items) {
    const row = matrix[place.get(item.label) ?? -1];
    const column = place.get(item.predicted);
    if (row && column !== undefined) row[column] = (row[column] ?? 0) + 1;
  }
  return matrix;
}

/**
 * @param {number[][]} matrix From {@link confusionMatrix}.
 * @param {string[]} classes In the same order.
 * @returns {ClassRow[]} Precision is null when nothing was predicted so, recall when there is no such image.
 */
export function classRows(matrix, classes) {
  return classes.map((label, index) => {
    const right = matrix[index]?.[index] ?? 0;
    const support = (matrix[index] ?? []).reduce((sum, value) => sum + value, 0);
    const predicted = matrix.reduce((sum, row) => sum + (row[index] ?? 0), 0);
    return {
      label,
      precision: predicted > 0 ? right / predicted : null,
      recall: support > 0 ? right / support : null,
      support,
    };
  });
}

/**
 * @param {number[][]} matrix From {@link confusionMatrix}.
 * @param {string[]} classes In the same order.
 * @param {number} limit At most so many.
 * @returns {ConfusedPair[]} What is taken for what, the most frequent first; of equally many those of the rarer label.
 */
export function confusedPairs(matrix, classes, limit) {
  const pairs = matrix.flatMap((row, index) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.flatMap((count, column) => {
      const [label, predicted] = [classes[index], classes[column]];
      if (column === index || count === 0 || !label || !predicted) return [];
      return [{ label, predicted, count, total }];
    });
  });
  return pairs.sort((a, b) => b.count - a.count || a.total - b.total).slice(0, limit);
}

/**
 * @param {import('./types.js').Choice} choice Of a fine-tuning.
 * @returns {string} What was kept and why, and what that is worth on images that had no say in it.
 */
export function choiceSentence(choice) {
  const [head, tuned] = [choice.head_error_rate, choice.fine_tuned_error_rate].map((rate) =>
    percent(rate),
  );
  const kept =
    choice.kept === 'head'
      ? `The head was kept: it errs on ${head} of the validation images, the fine-tuned network on ${tuned}.`
      : `The fine-tuned network was kept: it errs on ${tuned} of the validation images, the head that it began with on ${head}.`;
  const honest = choice.cross_fitted_error_rate;
  if (honest === null) return `${kept} There were too few to say what that choice itself is worth.`;
  return (
    `${kept} The lower of two flatters: on images that had no part in the choice, choosing so ` +
    `errs on ${percent(honest)}.`
  );
}

/**
 * @param {EvaluationItem[]} items Validation rows.
 * @param {number} limit At most so many.
 * @returns {EvaluationItem[]} Those that surprised the model most, worst first.
 */
export function topLosses(items, limit) {
  return [...items].sort((a, b) => b.loss - a.loss).slice(0, limit);
}
