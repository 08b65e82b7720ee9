/**
 * Adapter for Openverse. Answers of its API have everything; its pages carry the first of them in
 * `__NUXT_DATA__`, a list in which members are places of that list. A tile shows a thumbnail alone,
 * so without those data it is a result without an original.
 *
 * Source: https://api.openverse.org/v1/ and a saved answer of 2022-03; for the list, the format of
 * https://github.com/nuxt/devalue. The page itself was not to be had.
 */
import { CandidateList, toLicense } from '../candidates.js';
import { findRecords, getAt, isRecord, parseJson, textAt } from '../payload.js';
import { findTiles } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */
/** @typedef {import('../payload.js').JsonRecord} JsonRecord */

const HOME =
  /^(?:(?:www\.)?openverse\.org\/(?:[a-z-]{2,7}\/)?search|api\.openverse\.org\/v1\/images)/;
const TILE = 'a[href*="/image/"]:has(img[src*="/v1/images/"])';
const PAGE_DATA = 'script#__NUXT_DATA__';
const IMAGE_ID = /\/(?:image|v1\/images)\/([\da-f-]{36})/;

/** @type {import('../../lib/types.js').Adapter} */
export const openverse = {
  id: 'openverse',
  name: 'Openverse',
  home: HOME,
  blocked: { text: /Request was throttled|Too Many Requests/i },
  noResults: {
    selector: '.no-results, [data-testid="no-results"], #no-results',
    text: /We couldn(?:'|’)t find anything for/i,
  },
  probes: {
    selectors: { tile: TILE, data: PAGE_DATA },
    patterns: { page: /"foreign_landing_url"/, license: /"license"/ },
  },
  matches: (document, payloads) =>
    document.querySelector(TILE) !== null ||
    [...payloads, readPageData(document)].some(
      (text) => text.includes('"foreign_landing_url"') && text.includes('"license"'),
    ),
  findCandidates,
};

/**
 * Read every image: what the data hold, then tiles of which they say nothing.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers of the API.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Images.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const records = [
    ...readReferences(parseJson(readPageData(document))),
    ...payloads.flatMap((text) => findRecords(parseJson(text), isImage)),
  ];
  /** @type {Map<string | null, string | null>} */
  const known = new Map();
  for (const record of records) {
    known.set(textAt(record, 'id'), textAt(record, 'url'));
    found.add(readImage(record));
  }
  const tiles = findTiles(document, TILE);
  for (const tile of tiles) {
    const id = IMAGE_ID.exec(tile.getAttribute('href') ?? '')?.[1] ?? null;
    if (known.has(id)) found.show(known.get(id), tile);
    else found.add({ url: null });
  }
  return found.toFindings({ tile_count: tiles.length, payload_count: records.length });
}

/**
 * Read the data that a page carries.
 *
 * @param {Document} document Page to read.
 * @returns {string} Their text; empty where there are none.
 */
function readPageData(document) {
  return document.querySelector(PAGE_DATA)?.textContent ?? '';
}

/**
 * Read images out of a list in which members are places of that list.
 *
 * @param {unknown} list The list.
 * @returns {JsonRecord[]} Images with their members in the clear.
 */
function readReferences(list) {
  if (!Array.isArray(list)) return [];
  return findRecords(list, isImage).map((record) => {
    /** @type {[string, unknown][]} */
    const members = Object.entries(record).map(([name, place]) => [
      name,
      typeof place === 'number' ? getAt(list, place) : place,
    ]);
    return Object.fromEntries(members);
  });
}

/**
 * Recognise an image.
 *
 * @param {JsonRecord} value Any object.
 * @returns {boolean} Whether it is an image with addresses.
 */
function isImage(value) {
  return isRecord(value) && 'foreign_landing_url' in value && 'url' in value;
}

/**
 * Read an image.
 *
 * @param {unknown} record As the data have it.
 * @returns {RawCandidate} The image.
 */
function readImage(record) {
  const license = [textAt(record, 'license'), textAt(record, 'license_version')];
  return {
    url: textAt(record, 'url'),
    source_url: textAt(record, 'foreign_landing_url'),
    thumbnail_url: textAt(record, 'thumbnail'),
    title: textAt(record, 'title'),
    width: getAt(record, 'width'),
    height: getAt(record, 'height'),
    license: toLicense(
      license.filter((part) => part !== null).join(' '),
      textAt(record, 'license_url'),
      textAt(record, 'creator'),
    ),
  };
}

// Fixtures: tests/fixtures/pages/openverse-*; expected counts in tests/extension/adapters.test.js.
