/**
 * Adapter for pages in the shape of Bing Images. Each result is a link whose `m` attribute is JSON
 * with the original's address; the pixel size is in the link's own address. Bing nests tiles of
 * related collections in the same grid: they have neither `mid` nor a source page, and are no results.
 */
import { CandidateList } from '../candidates.js';

/** @typedef {import('../../lib/types.js').Findings} Findings */

const TILE = 'a.iusc[m]';
const THUMBNAIL = 'img.mimg';
const WIDTH_PARAMETER = 'expw';
const HEIGHT_PARAMETER = 'exph';
/** A real `m` is about 1 kB. */
const MAX_DATA_LENGTH = 65_536;

/** @type {import('../../lib/types.js').Adapter} */
export const bing = {
  id: 'bing',
  // By what the page holds, not by host: Bing has many, and saved pages have none.
  matches: (document) => document.querySelector(TILE) !== null,
  findCandidates,
};

/**
 * Read every result of the page.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {URL} location Its address.
 * @returns {Findings} Results in page order.
 */
function findCandidates(document, location) {
  const found = new CandidateList(location);
  const tiles = document.querySelectorAll(TILE);
  let leftOutCount = 0;
  for (const tile of tiles) {
    const data = readData(tile);
    if (data === null) continue;
    if (!data.mid && !data.purl) {
      leftOutCount += 1;
      continue;
    }
    found.add({
      url: data.murl,
      source_url: data.purl,
      thumbnail_url: data.turl ?? tile.querySelector(THUMBNAIL)?.getAttribute('src'),
      title: data.t,
      ...readSize(tile),
    });
  }
  return {
    candidates: found.toArray(),
    tile_count: tiles.length,
    left_out_count: leftOutCount + found.duplicateCount,
  };
}

/**
 * Read a tile's JSON.
 *
 * @param {Element} tile A result's link.
 * @returns {{[key: string]: string | undefined} | null} Its texts by name; null when it is not JSON.
 */
function readData(tile) {
  const text = tile.getAttribute('m') ?? '';
  if (text.length > MAX_DATA_LENGTH) return null;
  /** @type {unknown} */
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  return Object.fromEntries(Object.entries(data).filter(([, value]) => typeof value === 'string'));
}

/**
 * Read the original's size from the link's address: `m` does not have it.
 *
 * @param {Element} tile A result's link.
 * @returns {{width: string | null, height: string | null}} Texts of the two numbers.
 */
function readSize(tile) {
  const [, query = ''] = (tile.getAttribute('href') ?? '').split('?', 2);
  const parameters = new URLSearchParams(query);
  return { width: parameters.get(WIDTH_PARAMETER), height: parameters.get(HEIGHT_PARAMETER) };
}

// Fixtures: tests/fixtures/pages/bing-*.html; expected counts in tests/extension/bing.test.js.
