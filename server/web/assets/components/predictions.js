/**
 * What a model says about one image.
 */
import { h, spoken } from '../lib/dom.js';
import { percent } from '../lib/format.js';

/** @typedef {import('../lib/types.js').Classification} Classification */

/**
 * @param {{label: string, probability: number}} prediction One class.
 * @returns {HTMLElement} Its bar.
 */
function predictionRow({ label, probability }) {
  const fill = h('span', { class: 'bar-fill' });
  fill.style.setProperty('--share', String(probability));
  return h(
    'li',
    { class: 'prediction' },
    h('span', { class: 'prediction-label' }, label),
    h('span', { class: 'bar', 'aria-hidden': 'true' }, fill),
    h('span', { class: 'tabular' }, percent(probability)),
  );
}

/**
 * @param {Classification} answer With its best prediction below the threshold.
 * @returns {string} Why there is no answer.
 */
export function abstention({ predictions, threshold }) {
  const limit = threshold === null ? '' : ` (it answers from ${percent(threshold, 0)})`;
  const best = predictions[0];
  const closest = best
    ? ` Closest is “${best.label}” with ${percent(best.probability)}${limit}.`
    : '';
  return `The image may show none of the classes.${closest}`;
}

/**
 * @param {Classification} answer Of the server.
 * @returns {HTMLElement} The top answer in words, then every class with its probability.
 */
export function predictionList(answer) {
  const { abstained, predictions } = answer;
  const title = abstained ? 'Not sure enough to say' : (answer.label ?? 'No answer');
  return h(
    'div',
    { class: 'stack' },
    h(
      'p',
      { class: abstained ? 'answer is-unsure' : 'answer', 'data-testid': 'top-label' },
      spoken('Answer: '),
      title,
    ),
    abstained && h('p', { class: 'muted' }, abstention(answer)),
    h(
      'ol',
      { class: 'predictions', 'data-testid': 'predictions' },
      ...predictions.map(predictionRow),
    ),
    h('p', { class: 'muted small' }, `Answered in ${String(Math.round(answer.milliseconds))} ms`),
  );
}
