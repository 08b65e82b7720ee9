/**
 * Why an image has no answer, in words.
 */
import { Problem } from '../lib/api.js';
import { h } from '../lib/dom.js';
import { explainError, explainReason } from '../lib/explain.js';

/**
 * @param {unknown} error Why there is no answer.
 * @returns {(Node | string)[]} What to tell the person.
 */
export function explainFailure(error) {
  if (error instanceof Problem && error.slug === 'image-not-usable') {
    const reason = error.members['reason'];
    if (typeof reason === 'string') {
      const { title, text } = explainReason(reason);
      return [h('strong', {}, `${title}. `), text];
    }
  }
  return [explainError(error)];
}
