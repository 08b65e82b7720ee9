/**
 * Credits as text: one line for each image, to be put beside what was made of them.
 */
import { hostOf, webUrl } from './format.js';

/** @typedef {import('./types.js').Credit} Credit */
/** @typedef {import('./types.js').Page<Credit>} CreditPage */

/**
 * @param {Credit} credit Of an image.
 * @returns {string | null} Where to see it: the page that shows it, else where it was captured, else itself.
 */
export const creditUrl = ({ source_url, page_url, url }) =>
  webUrl(source_url) ?? webUrl(page_url) ?? webUrl(url);

/**
 * @param {Credit} credit Of an image.
 * @returns {string} Its title, or what else it may be called.
 */
export function creditTitle(credit) {
  const url = creditUrl(credit);
  // A title with line breaks would be several credits.
  const title = credit.title?.replace(/\s+/g, ' ').trim();
  return title || (url ? hostOf(url) : 'An upload');
}

/**
 * @param {Credit} credit Of an image.
 * @returns {string} Title, address, licence and label, as far as they are known.
 */
export function creditLine(credit) {
  const licence = credit.license?.replace(/\s+/g, ' ').trim();
  const parts = [
    `“${creditTitle(credit)}”`,
    creditUrl(credit),
    licence ? `licence: ${licence}` : 'licence not known',
    credit.label ? `label: ${credit.label}` : null,
  ];
  return parts.filter(Boolean).join(', ');
}

/**
 * Read the whole list.
 * @param {(cursor: string | null) => Promise<CreditPage>} load Reads a page.
 * @param {(done: number, total: number) => void} onStep Told after each.
 * @returns {Promise<string>} A line for each image.
 */
export async function allCredits(load, onStep) {
  /** @type {string[]} */
  const lines = [];
  /** @type {string | null} */
  let cursor = null;
  do {
    /** @type {CreditPage} */
    const page = await load(cursor);
    lines.push(...page.items.map(creditLine));
    onStep(lines.length, page.total);
    // A page that brings nothing would be asked for for ever.
    cursor = page.items.length > 0 ? page.next_cursor : null;
  } while (cursor !== null);
  return `${lines.join('\n')}\n`;
}
