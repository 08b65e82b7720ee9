/**
 * What the curves of a training say: ends and ticks of axes, sentences. Pure.
 */
import { count, percent, plural } from './format.js';

/** @typedef {import('./types.js').Job} Job */
/** @typedef {import('./types.js').LrPoint} LrPoint */
/** @typedef {import('./types.js').TrainingStage} TrainingStage */

/** Ends of an axis whose half is a short number, too. */
const NEAT = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
/** Rows of a table that somebody may hear read out. */
const MOST_ROWS = 20;
/** Decades of learning rates that are written beside each other on the narrowest drawing. */
const MOST_DECADES = 5;
const LOSS = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/**
 * @param {number} value In nats.
 * @returns {string} With three digits.
 */
export const lossText = (value) => LOSS.format(value);

/**
 * @param {number} lr A learning rate.
 * @returns {string} As the command line takes it: 1.2e-3.
 */
export const lrText = (lr) => lr.toExponential(1);

/**
 * @param {NonNullable<Job['finding']>} finding What a job found that makes no model.
 * @returns {string} The gist of it.
 */
export function findingText(finding) {
  if ('points' in finding) return `Begin with ${lrText(finding.valley)}`;
  return `${percent(finding.error_rate)} error on ${plural(finding.count, 'unseen image')}`;
}

/**
 * @param {number} largest What must fit, above 0.
 * @returns {number} The end of an axis from zero: a neat number, little above it.
 */
export function neatEnd(largest) {
  if (!(largest > 0)) return 1;
  const decade = 10 ** Math.floor(Math.log10(largest));
  return (NEAT.find((end) => end * decade >= largest) ?? 10) * decade;
}

/**
 * @param {Job} job As it is.
 * @returns {TrainingStage[]} Its stages so far; none of a trainer that does not tell them.
 */
export const stagesOf = (job) => job.progress?.stages ?? [];

/**
 * @param {Job} job As it is.
 * @returns {number} Updates that its training will have, as far as that is known; at least those it has.
 */
export function updatesOf(job) {
  const last = stagesOf(job).at(-1)?.update ?? 0;
  const { progress } = job;
  return progress?.phase === 'fine-tune' ? Math.max(last, progress.total) : last;
}

/**
 * @param {TrainingStage[]} stages In order; not empty.
 * @param {number} updates In all.
 * @returns {string} Where the training stands.
 */
export function stageSentence(stages, updates) {
  const last = stages.at(-1);
  if (!last) return '';
  const best = Math.min(...stages.map((stage) => stage.valid_error_rate));
  const was = best < last.valid_error_rate ? ` (${percent(best)} at best)` : '';
  return (
    `After ${count(last.update)} of ${count(updates)} updates: training loss ` +
    `${lossText(last.train_loss)}, validation loss ${lossText(last.valid_loss)}, error rate ` +
    `${percent(last.valid_error_rate)}${was}.`
  );
}

/**
 * @template T
 * @param {T[]} rows Any number.
 * @returns {T[]} At most some twenty of them, evenly spread, the first and the last with them.
 */
export function thinned(rows) {
  const step = Math.ceil((rows.length - 1) / (MOST_ROWS - 1));
  return rows.filter((_, index) => index === rows.length - 1 || index % step === 0);
}

/**
 * @param {LrPoint[]} points The lowest learning rate first; at least two.
 * @returns {{place: (lr: number) => number, ticks: [number, string][]}} Where a learning rate is on a logarithmic axis, 0 to 1, and whole decades with their text.
 */
export function lrAxis(points) {
  const [low, high] = [points[0], points.at(-1)].map((point) => Math.log10(point?.lr ?? 1));
  const [start, width] = [low ?? 0, (high ?? 0) - (low ?? 0) || 1];
  const place = (/** @type {number} */ lr) => (Math.log10(lr) - start) / width;
  const first = Math.ceil(start - 1e-9);
  const decades = Math.floor(start + width + 1e-9) - first + 1;
  const step = Math.ceil(decades / MOST_DECADES);
  /** @type {[number, string][]} */
  const ticks = [];
  for (let power = first; power < first + decades; power += step) {
    ticks.push([place(10 ** power), `1e${String(power)}`]);
  }
  return { place, ticks };
}
