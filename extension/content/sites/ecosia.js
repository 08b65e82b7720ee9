/**
 * Adapter for Ecosia's image search: all of a result is in its element, the original as the link.
 *
 * Source: saved pages of 2026-05 in karust/openserp.
 */
import { CandidateList } from '../candidates.js';
import { findTiles, readShown } from '../tile.js';

const HOME = /^(?:www\.)?ecosia\.org\/images\b/;
const TILE = 'article[data-test-id="images-result"], .image-result[data-test-id]';
const ORIGINAL = 'a[data-test-id="image-result-link"], a.image-result__link';
const SOURCE = 'a.image-result__details-link';
const SIZE = '[data-test-id="image-result-dimensions"]';
/** Such as `2000 × 1500`. */
const SIZE_TEXT = /(\d{1,6})\s*[×x]\s*(\d{1,6})/;

/** @type {import('../../lib/types.js').Adapter} */
export const ecosia = {
  id: 'ecosia',
  name: 'Ecosia',
  home: HOME,
  blocked: { selector: 'input[name="cf-turnstile-response"], .lds-ring' },
  noResults: { selector: '.no-results, [data-test-id="no-results-query"]' },
  probes: {
    selectors: { tile: TILE, original: ORIGINAL, source: SOURCE, size: SIZE },
    patterns: {},
  },
  matches: (document) => document.querySelector(TILE) !== null,
  findCandidates,
};

/**
 * Read every result. Scrolling adds tiles to the page, so answers need not be read.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} _payloads Not needed.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Results in page order.
 */
function findCandidates(document, _payloads, location, found = new CandidateList(location)) {
  const tiles = findTiles(document, TILE);
  for (const tile of tiles) {
    const [, width, height] = SIZE_TEXT.exec(tile.querySelector(SIZE)?.textContent ?? '') ?? [];
    const { thumbnail_url, title } = readShown(tile);
    const image = {
      url: tile.querySelector(ORIGINAL)?.getAttribute('href'),
      source_url: tile.querySelector(SOURCE)?.getAttribute('href'),
      thumbnail_url,
      title: tile.getAttribute('aria-label') ?? title,
      width,
      height,
    };
    found.add(image, tile);
  }
  return found.toFindings({ tile_count: tiles.length });
}

// Fixtures: tests/fixtures/pages/ecosia-*; expected counts in tests/extension/adapters.test.js.
