/**
 * Adapter for searches on Wikimedia Commons. Answers of its API name the original, size and licence;
 * a tile shows a scaled copy whose path holds the original's. SVG, PDF, sound and film are left out:
 * they are no photographs to learn from, and the server takes none of them.
 *
 * Source: https://commons.wikimedia.org/w/api.php; ImageResult.vue and Image.vue of MediaSearch
 * (2026-06); saved answers of 2021.
 */
import { CandidateList, toLicense } from '../candidates.js';
import { toWikimediaOriginal } from '../originals.js';
import { findRecords, getAt, parseJson, textAt } from '../payload.js';
import { findTiles, readShown } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */

const HOME =
  /^commons(?:\.m)?\.wikimedia\.org\/(?:wiki\/Special:MediaSearch|w\/(?:index|api)\.php\?(?:[^#]*&)?(?:title=Special:MediaSearch|generator=search))/;
const TILE = 'a.sdms-image-result[href], a.sdms-other-result[href]';
const IMAGE_PATH = /\.(?:jpe?g|png|gif|webp|tiff?|bmp|avif)$/i;
const TAG = /<\/?[a-z][^<>]{0,2000}>/gi;
const MAX_TEXT_LENGTH = 5000;

/** @type {import('../../lib/types.js').Adapter} */
export const wikimedia = {
  id: 'wikimedia',
  name: 'Wikimedia Commons',
  home: HOME,
  blocked: { text: /Too many requests|rate limit/i },
  noResults: {
    selector: '.sdms-no-results, .sdms-empty-state',
    text: /No results found|There were no results/i,
  },
  probes: {
    selectors: { tile: TILE },
    patterns: { info: /"imageinfo":/, page: /"descriptionurl":/ },
  },
  matches: (document, payloads) =>
    document.querySelector(TILE) !== null ||
    payloads.some((text) => text.includes('"imageinfo"') && text.includes('"descriptionurl"')),
  findCandidates,
};

/**
 * Read every file: what the answers hold by their place, then tiles of which they say nothing.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers of the API.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Files.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const records = payloads.flatMap((text) =>
    findRecords(parseJson(text), isFile).toSorted(byIndex),
  );
  const known = new Set();
  let leftOutCount = 0;
  /** @type {(image: RawCandidate, tile: Element | null) => void} */
  const add = (image, tile) => {
    if (image.url && !IMAGE_PATH.test(image.url)) leftOutCount += 1;
    else if (!image.url || !known.has(image.url)) found.add(image, tile);
    else found.show(image.url, tile);
    known.add(image.url);
  };
  for (const record of records) add(readFile(record), null);
  const tiles = findTiles(document, TILE);
  for (const tile of tiles) add(readTile(tile), tile);
  return found.toFindings({
    tile_count: tiles.length,
    payload_count: records.length,
    left_out_count: leftOutCount,
  });
}

/**
 * Recognise a file in an answer.
 *
 * @param {import('../payload.js').JsonRecord} value Any object in it.
 * @returns {boolean} Whether it is a file with addresses.
 */
function isFile(value) {
  return textAt(value, 'imageinfo', 0, 'url') !== null;
}

/**
 * Order files by their place in the search: answers are keyed by page number.
 *
 * @param {unknown} a One file.
 * @param {unknown} b Another.
 * @returns {number} Negative when the first comes before.
 */
function byIndex(a, b) {
  return Number(getAt(a, 'index') ?? 0) - Number(getAt(b, 'index') ?? 0);
}

/**
 * Read a file.
 *
 * @param {unknown} record As the answer has it.
 * @returns {RawCandidate} The image.
 */
function readFile(record) {
  const info = getAt(record, 'imageinfo', 0);
  /** @type {(name: string) => string | null} */
  const about = (name) => toPlain(textAt(info, 'extmetadata', name, 'value'));
  return {
    url: textAt(info, 'url'),
    source_url: textAt(info, 'descriptionurl'),
    thumbnail_url: textAt(info, 'thumburl'),
    title: textAt(record, 'title'),
    width: getAt(info, 'width'),
    height: getAt(info, 'height'),
    license: toLicense(about('LicenseShortName'), about('LicenseUrl'), about('Artist')),
  };
}

/**
 * Take the markup out of a text.
 *
 * @param {string | null} text HTML that a person wrote.
 * @returns {string | null} Its words.
 */
function toPlain(text) {
  return text === null ? null : text.slice(0, MAX_TEXT_LENGTH).replace(TAG, '');
}

/**
 * Read a tile.
 *
 * @param {Element} tile Link to a file's page.
 * @returns {RawCandidate} The image; without `url` where its thumbnail is of another kind.
 */
function readTile(tile) {
  const { thumbnail_url, title } = readShown(tile);
  return {
    url: toWikimediaOriginal(thumbnail_url),
    source_url: tile.getAttribute('href'),
    thumbnail_url,
    title: tile.getAttribute('title') ?? title,
  };
}

// Fixtures: tests/fixtures/pages/wikimedia-*; expected counts in tests/extension/adapters.test.js.
