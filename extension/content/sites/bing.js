/**
 * Adapter for pages in the shape of Bing Images. Each result is a link whose `m` attribute is JSON
 * with the original's address; the pixel size is in the link's own address. Bing nests tiles of
 * related collections in the same grid: they have neither `mid` nor a source page, and are no results.
 */
import { CandidateList, toHttpUrl } from '../candidates.js';
import { isRecord, parseJson, textAt } from '../payload.js';
import { findTiles } from '../tile.js';

/** @typedef {import('../../lib/types.js').Findings} Findings */

const HOME = /^(?:www|cn)\.bing\.com\/images\//;
const TILE = 'a.iusc[m]';
const THUMBNAIL = 'img.mimg';
const WIDTH_PARAMETER = 'expw';
const HEIGHT_PARAMETER = 'exph';
/** Bing's full-size copy, for results whose original can't be had. */
const CACHED_PARAMETER = 'cdnurl';
const CACHED_COPY = /^https:\/\/th\.bing\.com\/th\/id\/R\.[^?#]+\?[^#]*pid=ImgRaw/;
/** A real `m` is about 1 kB. */
const MAX_DATA_LENGTH = 65_536;

/** @type {import('../../lib/types.js').Adapter} */
export const bing = {
  id: 'bing',
  name: 'Bing',
  home: HOME,
  blocked: {
    selector: '#b_captcha, .captcha, iframe[src*="/turing/captcha"]',
    address: /\/turing\/captcha/,
  },
  noResults: {
    selector: '.no-results, .b_no, #b_results .b_no',
    text: /There are no results for|no results found for/i,
  },
  probes: {
    selectors: {
      tile: TILE,
      thumbnail: THUMBNAIL,
      original: `${TILE}[m*="murl"]`,
      own_result: `${TILE}[m*="purl"]`,
    },
    patterns: {},
  },
  matches: (document) => document.querySelector(TILE) !== null,
  findCandidates,
};

/**
 * Read every result of the page. Scrolling adds tiles to it, so answers need not be read.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} _payloads Not needed.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {Findings} Results in page order.
 */
function findCandidates(document, _payloads, location, found = new CandidateList(location)) {
  const tiles = findTiles(document, TILE);
  let payloadCount = 0;
  let leftOutCount = 0;
  for (const tile of tiles) {
    const data = readData(tile);
    if (data !== null && !textAt(data, 'mid') && !textAt(data, 'purl')) {
      leftOutCount += 1;
      continue;
    }
    if (data !== null) payloadCount += 1;
    found.add(readTile(tile, data, location), tile);
  }
  return found.toFindings({
    tile_count: tiles.length,
    payload_count: payloadCount,
    left_out_count: leftOutCount,
  });
}

/**
 * Read a tile's JSON.
 *
 * @param {Element} tile A result's link.
 * @returns {import('../payload.js').JsonRecord | null} Its members; null when it is not JSON.
 */
function readData(tile) {
  const text = tile.getAttribute('m') ?? '';
  const data = text.length > MAX_DATA_LENGTH ? null : parseJson(text);
  return isRecord(data) ? data : null;
}

/**
 * Put together what a tile says.
 *
 * @param {Element} tile A result's link.
 * @param {unknown} data Its JSON.
 * @param {URL} location The page's address.
 * @returns {import('../candidates.js').RawCandidate} The image; Bing's full copy for one whose
 *   original has no usable address.
 */
function readTile(tile, data, location) {
  const { cached_url, ...size } = readLink(tile);
  return {
    url: toHttpUrl(textAt(data, 'murl'), location) ?? cached_url,
    source_url: textAt(data, 'purl'),
    thumbnail_url:
      textAt(data, 'turl') ?? tile.querySelector(THUMBNAIL)?.getAttribute('src') ?? null,
    title: textAt(data, 't'),
    ...size,
  };
}

/**
 * Read the link's own address: it has the original's size, which `m` has not, and Bing's copy.
 *
 * @param {Element} tile A result's link.
 * @returns {{width: string | null, height: string | null, cached_url: string | null}} Texts of the
 *   two numbers, and the copy's address.
 */
function readLink(tile) {
  const [, query = ''] = (tile.getAttribute('href') ?? '').split('?', 2);
  const parameters = new URLSearchParams(query.slice(0, MAX_DATA_LENGTH));
  const cachedUrl = parameters.get(CACHED_PARAMETER) ?? '';
  return {
    width: parameters.get(WIDTH_PARAMETER),
    height: parameters.get(HEIGHT_PARAMETER),
    cached_url: CACHED_COPY.test(cachedUrl) ? cachedUrl : null,
  };
}

// Fixtures: tests/fixtures/pages/bing-*.html; expected counts in tests/extension/adapters.test.js.
