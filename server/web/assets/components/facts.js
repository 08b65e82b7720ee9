/**
 * What is known of one image: size, where it comes from, where it was seen.
 */
import { h } from '../lib/dom.js';
import { explainObtained } from '../lib/explain.js';
import { bytes, count, hostOf, timeElement, webUrl } from '../lib/format.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/dom.js').Child} Child */

/**
 * @param {string | null} url An address from a page.
 * @param {string} [text] What to show instead of its host.
 * @returns {Child} A link that tells the other site nothing; null when it is no web address.
 */
export function outsideLink(url, text) {
  const safe = webUrl(url);
  if (!safe) return null;
  return h(
    'a',
    { href: safe, target: '_blank', rel: 'noreferrer noopener', title: safe },
    text ?? hostOf(safe),
  );
}

/**
 * @param {[string, Child][]} rows Terms and what stands for them; empty ones are left out.
 * @returns {HTMLElement} A definition list.
 */
export function factList(rows) {
  const shown = rows.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return h(
    'dl',
    { class: 'facts' },
    ...shown.flatMap(([term, value]) => [h('dt', {}, term), h('dd', {}, value)]),
  );
}

/**
 * @param {string} sha256 In hexadecimal digits.
 * @param {number} [digits] Shown of them; the rest is its title.
 * @returns {HTMLElement} Enough to compare by eye.
 */
export function hashCode(sha256, digits = 16) {
  return h('code', { title: sha256 }, `${sha256.slice(0, digits)}…`);
}

/**
 * @param {Image} image An image.
 * @returns {HTMLElement} Its facts.
 */
export function imageFacts(image) {
  const size =
    image.width && image.height ? `${count(image.width)} × ${count(image.height)}` : null;
  const file = [image.format?.toUpperCase(), image.bytes ? bytes(image.bytes) : null].filter(
    Boolean,
  );
  return factList([
    ['Title', image.title],
    ['Size', [size, ...file].filter(Boolean).join(' · ')],
    ['Found on', outsideLink(image.source_url)],
    ['Image address', outsideLink(image.url)],
    ['Licence', image.license],
    ['Obtained', explainObtained(image)],
    ['Fetched', image.settled_at ? timeElement(image.settled_at) : null],
    ['SHA-256', image.sha256 ? hashCode(image.sha256) : null],
  ]);
}

/**
 * @param {NonNullable<Image['sightings']>} sightings Where it was seen.
 * @returns {HTMLElement} One line each.
 */
export function sightingList(sightings) {
  const lines = sightings.map((item) => {
    const where = item.engine ?? (item.page_url ? hostOf(item.page_url) : 'a page');
    const what = item.query ? ` for “${item.query}”` : '';
    const rank = item.rank === null ? '' : `, place ${String(item.rank + 1)}`;
    return h(
      'li',
      {},
      outsideLink(item.page_url, `${where}${what}`) ?? `${where}${what}`,
      `${rank}, `,
      timeElement(item.captured_at),
    );
  });
  return h(
    'div',
    {},
    h('h2', { class: 'small-heading' }, 'Seen'),
    h('ul', { class: 'plain small' }, ...lines),
  );
}
