/** Tells hard examples: images of which a model says something else than their label would. */
import { matchLabel } from './label.js';

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
