/**
 * Adapter for a page that no other knows. For every picture, in open shadow roots too, it prefers, in
 * this order, the original that it links to, the largest of its `srcset`, a lazy-loading attribute,
 * and what is shown; then come links to images, CSS backgrounds, and `og:image` last. Tiny images,
 * `data:` addresses and SVG are left out.
 */
import { findBackgrounds } from '../backgrounds.js';
import { CandidateList, toHttpUrl, toPixels } from '../candidates.js';
import { toWikimediaOriginal } from '../originals.js';
import { closest, findIn, findRoots } from '../roots.js';
import { findLargestEntry } from '../srcset.js';

/** @typedef {import('../../lib/types.js').Findings} Findings */
/** @typedef {{url: string | null, width?: number | null, height?: number | null}} Choice */

const LAZY_ATTRIBUTES = [
  'data-full-src',
  'data-original',
  'data-src',
  'data-lazy-src',
  'data-lazy',
  'data-hi-res-src',
  'data-zoom-image',
  'data-gifsrc',
];
const LAZY_SETS = ['data-srcset', 'data-lazy-srcset'];
const LAZY_IMAGE = [...LAZY_ATTRIBUTES, ...LAZY_SETS].map((name) => `img[${name}]`).join();
const SOCIAL_IMAGE = 'meta[property="og:image"], meta[name="og:image"], meta[name="twitter:image"]';
const LICENSE = 'link[rel~="license"], a[rel~="license"]';
const IMAGE_PATH = /\.(?:jpe?g|jfif|png|gif|webp|avif|bmp|tiff?)$/i;
const SVG_PATH = /\.svgz?$/i;
/** MediaWiki's description pages (`/wiki/File:Bird.jpg`) end like images but are HTML. */
const DESCRIPTION_PAGE = /\/wiki\/[^/]*:/i;
/** Icons, spacers and tracking pixels are smaller; the smallest useful thumbnails are not. */
const MIN_SIDE_PX = 64;
/** Bounds the work on a hostile page: the first so many pictures are read. */
const MAX_ELEMENTS = 5000;

/** @type {import('../../lib/types.js').Adapter} */
export const generic = {
  id: 'generic',
  name: null,
  home: null,
  blocked: {},
  noResults: {},
  probes: { selectors: { social_image: SOCIAL_IMAGE, lazy_image: LAZY_IMAGE }, patterns: {} },
  matches: () => true,
  findCandidates,
};

/**
 * Read every picture of the page.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} _payloads Not read: nothing is known of their shape.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {Findings} Pictures in page order, backgrounds after them, `og:image` last.
 */
function findCandidates(document, _payloads, location, found = new CandidateList(location)) {
  const license = document.querySelector(LICENSE)?.getAttribute('href');
  const roots = findRoots(document);
  const images = /** @type {HTMLImageElement[]} */ (findIn(roots, 'img', MAX_ELEMENTS));
  for (const image of images) {
    const choice = chooseSource(image, location);
    if (isWorthwhile(choice, location)) {
      found.add({ ...describe(image, location), ...choice, license }, image);
    }
  }
  const leftOutCount = images.length - found.byUrl.size - found.withoutOriginalCount;
  for (const other of findOthers(document, roots, location)) {
    if (isWorthwhile(other, location)) {
      found.add({ source_url: location.href, ...other, license });
    }
  }
  return { ...found.toFindings({ tile_count: images.length }), left_out_count: leftOutCount };
}

/**
 * Find images that no `img` shows: linked to by words, backgrounds, and the page's own for others.
 *
 * @param {Document} document Page to read.
 * @param {(Document | ShadowRoot)[]} roots It and its shadow roots.
 * @param {URL} location Its address.
 * @returns {(Choice & {title?: string | null})[]} Images in this order.
 */
function findOthers(document, roots, location) {
  const links = findIn(roots, 'a[href]', MAX_ELEMENTS).flatMap((link) => {
    const url = toHttpUrl(link.getAttribute('href'), location);
    if (url === null || !isImageAddress(url) || link.querySelector('img') !== null) return [];
    return [{ url, title: link.getAttribute('title') ?? link.textContent }];
  });
  const backgrounds = findBackgrounds(document, roots, MIN_SIDE_PX).map((url) => ({ url }));
  const social = document.querySelector(SOCIAL_IMAGE)?.getAttribute('content') ?? null;
  return [...links, ...backgrounds, { url: social, title: document.title }];
}

/**
 * Choose the best address of a picture.
 *
 * @param {HTMLImageElement} image Picture on the page.
 * @param {URL} location Address of the page.
 * @returns {Choice} The address, with the size that it is known to have.
 */
function chooseSource(image, location) {
  const shown = { width: toPixels(image.naturalWidth), height: toPixels(image.naturalHeight) };
  const original = findLinkedImage(image, location) ?? findUnscaled(image, location);
  // An icon that links to an image is still an icon.
  if (original !== null) return isTiny(shown) ? { url: original, ...shown } : { url: original };
  const largest = findLargest(image, shown, location);
  if (largest !== null) return largest;
  const lazy = firstAttribute(image, LAZY_ATTRIBUTES);
  if (lazy !== null) return { url: lazy };
  const url = image.currentSrc || image.getAttribute('src');
  if (shown.width !== null && shown.height !== null) return { url, ...shown };
  return { url, ...declaredSize(image) };
}

/**
 * Find the image that the picture is a link to.
 *
 * @param {Element} image Picture on the page.
 * @param {URL} location Address of the page.
 * @returns {string | null} Absolute address, when it ends like an image.
 */
function findLinkedImage(image, location) {
  const url = toHttpUrl(closest(image, 'a[href]')?.getAttribute('href'), location);
  return url !== null && isImageAddress(url) ? url : null;
}

/**
 * Find the original of a picture whose address says that it is a scaled copy.
 *
 * @param {Element} image Picture on the page.
 * @param {URL} location Address of the page.
 * @returns {string | null} Absolute address; null for icons, and where the original is no photograph.
 */
function findUnscaled(image, location) {
  const url = toWikimediaOriginal(toHttpUrl(image.getAttribute('src'), location));
  return url !== null && isImageAddress(url) && !isTiny(declaredSize(image)) ? url : null;
}

/**
 * Tell an image's address from a page's.
 *
 * @param {string} url Absolute address.
 * @returns {boolean} True when it ends like an image and is no description page.
 */
function isImageAddress(url) {
  const { pathname } = new URL(url);
  return IMAGE_PATH.test(pathname) && !DESCRIPTION_PAGE.test(pathname);
}

/**
 * Find the largest image that a picture offers for wider or denser screens.
 *
 * @param {Element} image Picture on the page.
 * @param {{width: number | null, height: number | null}} shown Size as shown, in CSS pixels.
 * @param {URL} location Address of the page.
 * @returns {Choice | null} The largest; null when there is no choice.
 */
function findLargest(image, shown, location) {
  const holders = [image, ...(image.closest('picture')?.querySelectorAll('source') ?? [])];
  const texts = holders.flatMap((holder) =>
    ['srcset', ...LAZY_SETS].map((name) => holder.getAttribute(name) ?? ''),
  );
  const best = findLargestEntry(texts, (url) => toHttpUrl(url, location) !== null);
  if (best === null) return null;
  const { url, width, density } = best;
  if (width !== null) return { url, width };
  return { url, width: scale(shown.width, density), height: scale(shown.height, density) };
}

/**
 * Multiply a size that may be unknown.
 *
 * @param {number | null} px Size in CSS pixels.
 * @param {number} density Image pixels for each of them.
 * @returns {number | null} Size in image pixels.
 */
function scale(px, density) {
  return px === null ? null : Math.round(px * density);
}

/**
 * Read the size that the markup declares.
 *
 * @param {Element} image Picture on the page.
 * @returns {{width: number | null, height: number | null}} Size in pixels; null in part if unknown.
 */
function declaredSize(image) {
  return {
    width: toPixels(image.getAttribute('width')),
    height: toPixels(image.getAttribute('height')),
  };
}

/**
 * Say what the page tells of a picture.
 *
 * @param {HTMLImageElement} image Picture on the page.
 * @param {URL} location Address of the page.
 * @returns {{title: string | null, thumbnail_url: string, source_url: string}} For its candidate.
 */
function describe(image, location) {
  const caption = image.closest('figure')?.querySelector('figcaption')?.textContent;
  const link = toHttpUrl(closest(image, 'a[href]')?.getAttribute('href'), location);
  return {
    title: image.getAttribute('alt') || image.getAttribute('title') || caption || null,
    thumbnail_url: image.currentSrc || image.src,
    source_url: link !== null && !isImageAddress(link) ? link : location.href,
  };
}

/**
 * Read the first of several attributes that has a value.
 *
 * @param {Element} element Where to look.
 * @param {string[]} names Attributes in order of preference.
 * @returns {string | null} The value.
 */
function firstAttribute(element, names) {
  for (const name of names) {
    const value = element.getAttribute(name);
    if (value) return value;
  }
  return null;
}

/**
 * Decide whether an address is worth offering.
 *
 * @param {Choice} choice Address with its size, where known.
 * @param {URL} location Address of the page.
 * @returns {boolean} False for tiny images, SVG, and what is not http(s).
 */
function isWorthwhile(choice, location) {
  const url = toHttpUrl(choice.url, location);
  return url !== null && !SVG_PATH.test(new URL(url).pathname) && !isTiny(choice);
}

/**
 * Tell an icon from a picture.
 *
 * @param {{width?: number | null, height?: number | null}} size Size in pixels, where known.
 * @returns {boolean} True when a known side is below `MIN_SIDE_PX`.
 */
function isTiny({ width, height }) {
  return (width ?? MIN_SIDE_PX) < MIN_SIDE_PX || (height ?? MIN_SIDE_PX) < MIN_SIDE_PX;
}

// Fixtures: tests/fixtures/pages/generic-*.html; expected counts in tests/extension/generic.test.js.
