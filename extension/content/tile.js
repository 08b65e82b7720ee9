/** Reads what the tiles of all sites have alike: a small image with its words. */
import { parseSrcset } from './srcset.js';

/** No page shows as many results; this bounds the work on a hostile one. */
const MAX_TILES = 5000;

/**
 * Read the image that a tile shows.
 *
 * @param {Element} tile A result.
 * @param {string} [selector] Which of its images.
 * @returns {{addresses: string[], thumbnail_url: string | null, title: string | null}} Every address
 *   that it has, those of its `srcset` first; the one that is shown; and its words.
 */
export function readShown(tile, selector = 'img') {
  const image = tile.querySelector(selector);
  if (image === null) return { addresses: [], thumbnail_url: null, title: null };
  const shown = image.getAttribute('data-src') ?? image.getAttribute('src');
  const offered = parseSrcset(image.getAttribute('srcset') ?? '').map(({ url }) => url);
  return {
    addresses: shown === null ? offered : [...offered, shown],
    thumbnail_url: shown,
    title: image.getAttribute('alt'),
  };
}

/**
 * Find the tiles of a page.
 *
 * @param {Document} document Page to read.
 * @param {string} selector What they are.
 * @returns {Element[]} The first `MAX_TILES` of them.
 */
export function findTiles(document, selector) {
  return [...document.querySelectorAll(selector)].slice(0, MAX_TILES);
}
