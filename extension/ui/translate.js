/** Puts the words into a page: HTML names them, `_locales` has them. */
import { language, text } from '../lib/text.js';

/** Attributes that hold words, by the data attribute that names those. */
const ATTRIBUTES = /** @type {const} */ ({
  textTitle: 'title',
  textLabel: 'aria-label',
  textPlaceholder: 'placeholder',
  textAlt: 'alt',
});

/**
 * Fill in a page's words: the text of elements with `data-text`, and attributes by `data-text-title`,
 * `data-text-label` (`aria-label`), `data-text-placeholder` and `data-text-alt`.
 *
 * @param {Document} page The page.
 */
export function translate(page) {
  page.documentElement.lang = language();
  for (const element of page.querySelectorAll('[data-text]')) {
    element.textContent = text(/** @type {HTMLElement} */ (element).dataset['text'] ?? '');
  }
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    const marked = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const element of page.querySelectorAll(`[data-${marked}]`)) {
      const key = /** @type {HTMLElement} */ (element).dataset[name] ?? '';
      element.setAttribute(attribute, text(key));
    }
  }
}
