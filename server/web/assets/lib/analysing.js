/**
 * Sentences on an analysis. Pure.
 */
import { count, percent } from './format.js';

/** @typedef {import('./analysis.js').Analysis} Analysis */
/** @typedef {import('./analysis.js').Clue} Clue */
/** @typedef {import('./analysis.js').LearningCurve} LearningCurve */
/** @typedef {import('./analysis.js').TemperatureEffect} TemperatureEffect */

/** How many classes that need images are named. */
const MOST_NEEDED = 3;

/** @type {Record<Clue['name'], string>} */
export const CLUES = {
  site: 'Site',
  engine: 'Search engine',
  size: 'Size',
  shape: 'Shape',
  border: 'Border',
};

/** @type {Record<string, string>} */
export const SCORES = {
  max_probability: 'Highest probability',
  margin: 'Margin to the next class',
  energy: 'Energy of the logits',
  knn: 'Distance to training images',
};

/**
 * @param {import('./types.js').ModelWithEvaluation['evaluation']} evaluation As the server sends it.
 * @returns {Analysis | null} Null of a model that is older than it.
 */
export function analysisOf(evaluation) {
  if (!evaluation || Array.isArray(evaluation)) return null;
  return evaluation.analysis ?? null;
}

/**
 * @param {LearningCurve} curve A model's.
 * @returns {string} What fewer images cost, and whose would help most.
 */
export function curveSentence({ basis, points, needs }) {
  const [half, full] = points.slice(-2);
  if (!half || !full) return '';
  const whose =
    basis === 'head' ? 'Of a head on the frozen backbone, as fine-tuning began: with' : 'With';
  const told =
    `${whose} half of the training images (${count(half.train_count)}) the error rate is ` +
    `${percent(half.error_rate)}, with all of them (${count(full.train_count)}) ${percent(full.error_rate)}.`;
  const most = needs.filter((need) => need.log_loss_rise > 0).slice(0, MOST_NEEDED);
  if (most.length === 0) return told;
  return `${told} More would help most of: ${most.map((need) => need.label).join(', ')}.`;
}

/**
 * @param {TemperatureEffect} effect Of a temperature on images that it was not fitted on.
 * @returns {string} What it does to the calibration error.
 */
export function effectSentence(effect) {
  const [before, after] = [effect.calibration_error_before, effect.calibration_error_after];
  const verb = after < before ? 'lowers' : 'does not lower';
  return (
    `Dividing the logits by a temperature ${verb} the calibration error: ${percent(before)} without, ` +
    `${percent(after)} with one that was fitted on other validation images.`
  );
}

/**
 * @param {Clue[]} clues What was tried.
 * @returns {string} Whether the label can be guessed without the subject.
 */
export function shortcutSentence(clues) {
  const found = clues.filter((clue) => clue.is_shortcut).map((clue) => CLUES[clue.name]);
  if (clues.length === 0) return 'Nothing varies that the label could be guessed from.';
  if (found.length === 0) return 'No: nothing but the subject gives the label away.';
  return (
    `Yes, by: ${found.join(', ').toLowerCase()}. The model may have learned that instead of the ` +
    'subject. Collect each class from the same kinds of places.'
  );
}
