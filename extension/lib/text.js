/**
 * The words that a person reads, in the browser's language: `_locales/<language>/messages.json`.
 * Content scripts import this too, hence it needs nothing but `browser.js`.
 */
import { ext } from './browser.js';

/**
 * Look up a sentence.
 *
 * @param {string} key Its name in `messages.json`.
 * @param {...(string | number)} parts What its placeholders `$1`, `$2` … stand for; at most nine.
 * @returns {string} The sentence in the browser's language, or in English where that has none; the
 *   key itself where nobody wrote one, so that nothing is ever blank.
 */
export function text(key, ...parts) {
  return ext.i18n.getMessage(key, parts.map(String)) || key;
}

/**
 * Look up a sentence that counts something: `key_one` or `key_other`, as the language has it.
 *
 * @param {string} key Name of the two, without their ending.
 * @param {number} count How many; `$1` in the sentence.
 * @param {...(string | number)} parts What `$2` and those after it stand for.
 * @returns {string} For example `1 image`, `87 images`.
 */
export function textCount(key, count, ...parts) {
  const form = new Intl.PluralRules(language()).select(count) === 'one' ? 'one' : 'other';
  return text(`${key}_${form}`, formatNumber(count), ...parts);
}

/**
 * Write a number as the language does.
 *
 * @param {number} count Any number.
 * @returns {string} For example `1,234`.
 */
export function formatNumber(count) {
  return count.toLocaleString(language());
}

/** @returns {string} The language that sentences are in: the browser's own may lack a translation. */
export function language() {
  return text('language');
}
