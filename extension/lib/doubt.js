/**
 * What a model says of an image, and whether the image is a hard example: one of which it says
 * something else than its label would.
 */
import { matchLabel } from './label.js';
import { formatNumber, text } from './text.js';

/**
 * Less probable answers are doubted even where the label is right: of three in ten such answers the
 * model itself expects another one.
 */
export const DOUBT_BELOW = 0.7;

/**
 * Decide whether an image is a hard example.
 *
 * @param {import('./page-messages.js').Opinion} opinion What the model says of it.
 * @param {string} label What it would be captured as; empty when nobody knows.
 * @returns {boolean} True when the model abstains, is unsure, or names another label.
 */
export function isDoubted({ label: said, probability, is_abstained }, label) {
  if (is_abstained || probability < DOUBT_BELOW) return true;
  return label !== '' && matchLabel(said, [label]) === undefined;
}

/**
 * Put into words what a model says of an image.
 *
 * @param {import('./page-messages.js').Opinion} opinion What it says.
 * @returns {string} For example `grizzly 97 %`, `none of the classes`.
 */
export function nameOpinion({ label, probability, is_abstained }) {
  if (is_abstained) return text('opinionNone');
  return text('opinion', label, formatNumber(Math.round(probability * 100)));
}
