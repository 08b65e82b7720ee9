/** Finds images that elements have as their CSS background. */
import { findIn } from './roots.js';

const LAZY_ATTRIBUTES = ['data-bg', 'data-background', 'data-background-image', 'data-bg-src'];
const HOLDERS = `[style*="url("], ${LAZY_ATTRIBUTES.map((name) => `[${name}]`).join()}`;
/** What style sheets give backgrounds to; asking for every element's style would be slow. */
const STYLED = 'div, a, span, li, figure, section, header, article, button, picture';
const CSS_URL = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^()'"\s]*))\s*\)/g;
/** Two addresses of the longest kind. */
const MAX_STYLE_LENGTH = 16_384;
const MAX_HOLDERS = 5000;
/** Some 10 ms in Chromium. */
const MAX_STYLED = 3000;

/**
 * Find the addresses of backgrounds.
 *
 * @param {Document} document Page to read.
 * @param {(Document | ShadowRoot)[]} roots It and its shadow roots.
 * @param {number} minSidePx Elements that are shown smaller are left out.
 * @returns {string[]} Addresses as written: first what elements carry, then what style sheets say.
 */
export function findBackgrounds(document, roots, minSidePx) {
  const carried = findIn(roots, HOLDERS, MAX_HOLDERS).flatMap((holder) => {
    const values = LAZY_ATTRIBUTES.map((name) => holder.getAttribute(name)).filter(Boolean);
    const lazy = values.map((value) => value?.trim() ?? '');
    const styles = [...lazy, holder.getAttribute('style') ?? ''];
    const plain = lazy.filter((value) => !value.includes('url('));
    return [...plain, ...styles.flatMap(readUrls)];
  });
  return [...carried, ...findComputed(document, roots, minSidePx)];
}

/**
 * Ask for the styles that the page computes.
 *
 * @param {Document} document Page to read.
 * @param {(Document | ShadowRoot)[]} roots It and its shadow roots.
 * @param {number} minSidePx Elements that are shown smaller are left out.
 * @returns {string[]} Addresses; none where there is no window, as in a saved page.
 */
function findComputed(document, roots, minSidePx) {
  const window = document.defaultView;
  if (window === null) return [];
  return findIn(roots, STYLED, MAX_STYLED).flatMap((element) => {
    const style = window.getComputedStyle(element).backgroundImage;
    if (!style.includes('url(')) return [];
    const { clientWidth, clientHeight } = element;
    // 0 is no size but an inline element's, or that of a page without layout.
    const isTiny = [clientWidth, clientHeight].some((px) => px > 0 && px < minSidePx);
    return isTiny ? [] : readUrls(style);
  });
}

/**
 * Read the addresses in a style.
 *
 * @param {string} style CSS.
 * @returns {string[]} Addresses as written.
 */
function readUrls(style) {
  const matches = [...style.slice(0, MAX_STYLE_LENGTH).matchAll(CSS_URL)];
  return matches.map(([, double, single, bare]) => double ?? single ?? bare ?? '').filter(Boolean);
}
