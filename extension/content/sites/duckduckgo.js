/**
 * Adapter for DuckDuckGo's image search. Its tiles show thumbnails alone; the originals are in the
 * answers of `i.js` that its scripts get, joined by the thumbnail's id. A tile without its answer is
 * a result without an original.
 *
 * Source: searxng/searxng, searx/engines/duckduckgo_extra.py (2026-08), for the answer;
 * karust/openserp, duckduckgo/selectors.go (2026-07), for the page. No saved page was to be had.
 */
import { CandidateList } from '../candidates.js';
import { findRecords, getAt, parseJson, textAt } from '../payload.js';
import { findTiles } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */

const HOME = /^(?:[\w-]+\.)?duckduckgo\.com\/(?:i\.js|\?(?:[^#]*&)?ia(?:x|r)?=images)/;
/** Other sites have figures too, so without the test id only DuckDuckGo's proxy tells. */
const TILE = 'figure[data-testid="image-result"], .tile--img';
const ANY_TILE = `${TILE}, figure:has(img[src*="external-content.duckduckgo.com/iu/"])`;
/** Bing's id of a thumbnail: what an answer and its tile have in common. */
const THUMBNAIL_ID = /OIP[.-][\w-]{10,60}/;

/** @type {import('../../lib/types.js').Adapter} */
export const duckduckgo = {
  id: 'duckduckgo',
  name: 'DuckDuckGo',
  home: HOME,
  blocked: {
    selector: 'form[action*="anomaly"], [id*="anomaly"], .anomaly-modal__modal, #challenge-form',
    text: /bots use DuckDuckGo too/i,
  },
  noResults: {
    selector: '[data-testid="no-results"], [data-testid="no-results-message"], .no-results',
    text: /No results found for|No more images/i,
  },
  probes: {
    selectors: { tile: TILE, any_tile: ANY_TILE },
    patterns: { token: /"vqd"/, original: /"image":\s?"http/, thumbnail: /"thumbnail":/ },
  },
  matches: (document, payloads) =>
    document.querySelector(ANY_TILE) !== null ||
    payloads.some((text) => text.includes('"vqd"') && text.includes('"thumbnail"')),
  findCandidates,
};

/**
 * Read every result: what the answers hold in their order, then what only tiles show.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers of `i.js`.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Results.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const records = payloads.flatMap((text) => findRecords(parseJson(text), isResult));
  /** @type {Map<string | null, string | null>} */
  const known = new Map();
  for (const record of records) {
    known.set(readId(textAt(record, 'thumbnail')), textAt(record, 'image'));
    found.add(readResult(record));
  }
  const tiles = findTiles(document, ANY_TILE);
  for (const tile of tiles) {
    const source = tile.querySelector('img')?.getAttribute('src') ?? null;
    const id = readId(source);
    // Without the answer there is no original: counts as such.
    if (known.has(id)) found.show(known.get(id), tile);
    else found.add({ url: null });
  }
  return found.toFindings({ tile_count: tiles.length, payload_count: records.length });
}

/**
 * Recognise a result in an answer.
 *
 * @param {import('../payload.js').JsonRecord} value Any object in it.
 * @returns {boolean} Whether it is a result.
 */
function isResult(value) {
  return 'image' in value && 'thumbnail' in value && 'url' in value;
}

/**
 * Read a result.
 *
 * @param {unknown} record As the answer has it.
 * @returns {RawCandidate} The image.
 */
function readResult(record) {
  return {
    url: textAt(record, 'image'),
    source_url: textAt(record, 'url'),
    thumbnail_url: textAt(record, 'thumbnail'),
    title: textAt(record, 'title'),
    width: getAt(record, 'width'),
    height: getAt(record, 'height'),
  };
}

/**
 * Read the id of a thumbnail.
 *
 * @param {string | null} address Its address, possibly within DuckDuckGo's proxy's.
 * @returns {string | null} The id, or the address where it has none.
 */
function readId(address) {
  return THUMBNAIL_ID.exec(address ?? '')?.[0] ?? address;
}

// Fixtures: tests/fixtures/pages/duckduckgo-*; expected counts in tests/extension/adapters.test.js.
