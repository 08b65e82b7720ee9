/**
 * What a visitor is told of a model, in sentences.
 */
import { percent, plural } from './format.js';

/** @typedef {import('./links.js').PublicModel} PublicModel */

/** As many as a sentence bears; a model may have a thousand. */
const MOST_CLASSES = 12;

/**
 * @param {string[]} classes All of them.
 * @returns {string} The first, and how many more there are.
 */
export function classNames(classes) {
  const more = classes.length - MOST_CLASSES;
  const first = classes.slice(0, MOST_CLASSES).join(', ');
  return more > 0 ? `${first} and ${plural(more, 'other class', 'other classes')}` : first;
}

/** @type {Record<PublicModel['kept'], string>} */
const KEPT = {
  off: 'Your picture is answered and then forgotten: nothing of it is kept, nor who sent it.',
  counts: 'Your picture is forgotten; only that an answer was given is counted, not to whom.',
  images: 'Your picture is kept with its answer for whoever runs this server, but not who sent it.',
};

/**
 * @param {PublicModel} model What is shown.
 * @returns {string} What becomes of a picture.
 */
export function keptSentence(model) {
  return KEPT[model.kept];
}

/**
 * @param {PublicModel} model What is shown.
 * @returns {string} How good it is, beside knowing nothing.
 */
export function qualitySentence(model) {
  const [low, high] = model.error_rate_interval;
  return (
    `On ${plural(model.valid_count, 'image')} that it was not trained on, it named ` +
    `${percent(model.error_rate)} wrongly (95 % interval ${percent(low)} to ${percent(high)}). ` +
    `Always saying the most frequent class is wrong for ${percent(model.baseline_error_rate)}.`
  );
}

/**
 * @param {PublicModel} model What is shown.
 * @returns {string[]} What it cannot do, and how much may be asked.
 */
export function limitSentences(model) {
  return [
    `It knows ${classNames(model.classes)}, and nothing else. Of a picture of anything else it should say that it is ` +
      'not sure, and may name one of these all the same.',
    `When it is not sure enough it says so: of pictures of what it knows, it answers ${percent(model.coverage)}.`,
    'It learnt from pictures that were collected on the web, and shares their gaps: it does less well on pictures ' +
      'unlike those.',
    'It was not made for decisions about people, health or safety, nor for anything where a wrong answer does harm.',
    `You can ask ${plural(model.answers_per_hour, 'time')} an hour; the link has a limit for all visitors together as well.`,
  ];
}
