/**
 * Adapter for Pinterest. Its answers (`/resource/…`) and the JSON within its pages hold pins with
 * every size by name; a tile shows a small one, whose original is the same path under `/originals/`.
 * The list is virtual: what was scrolled away is known from the answers alone.
 *
 * Source: a saved answer of 2024-02; mikf/gallery-dl, gallery_dl/extractor/pinterest.py (2025-12).
 */
import { CandidateList } from '../candidates.js';
import { findRecords, getAt, isRecord, parseJson, readScripts, textAt } from '../payload.js';
import { findTiles, readShown } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */

const HOME = /^(?:[\w-]+\.)?pinterest\.(?:com|[a-z]{2}|co\.[a-z]{2}|com\.[a-z]{2})\//;
const TILE = '[data-test-id="pin"], [data-test-id="pinWrapper"]';
const PIN_LINK = 'a[href*="/pin/"]';
/** The last of its path: what a pin and its tile have in common. */
const IMAGE_PATH =
  /^https:\/\/i\.pinimg\.com\/(?:originals|\d+x\d*(?:_\w+)?)(\/[\da-f]{2}\/[\da-f]{2}\/[\da-f]{2}\/[^?#]+)$/;
const THUMBNAIL_NAMES = ['236x', '170x', '474x', '736x'];

/** @type {import('../../lib/types.js').Adapter} */
export const pinterest = {
  id: 'pinterest',
  name: 'Pinterest',
  home: HOME,
  blocked: { selector: '[data-test-id="captcha"], [data-test-id="recaptcha"]' },
  noResults: {
    selector: '[data-test-id="no-results"], [data-test-id="search-no-results"]',
    text: /couldn(?:'|’)t find any (?:pins|ideas) for/i,
  },
  probes: {
    selectors: { tile: TILE, link: PIN_LINK },
    patterns: { answer: /"resource_response":/, original: /"orig":/ },
  },
  matches: (document, payloads) =>
    document.querySelector(TILE) !== null ||
    payloads.some((text) => text.includes('resource_response') && text.includes('pinimg.com')),
  findCandidates,
};

/**
 * Read every pin: what the data hold, then tiles of which they say nothing.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers to scrolling.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Pins.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const texts = [...readScripts(document), ...payloads].filter((text) => text.includes('"images"'));
  const pins = texts.flatMap((text) => findRecords(parseJson(text), isPin));
  /** @type {Map<string | null | undefined, string | null | undefined>} */
  const known = new Map();
  let leftOutCount = 0;
  for (const pin of pins) {
    const image = readPin(pin);
    known.set(keyOf(image.url), image.url);
    if (pin['is_promoted'] === true || pin['type'] === 'story') leftOutCount += 1;
    else found.add(image);
  }
  const tiles = findTiles(document, TILE);
  for (const tile of tiles) {
    const image = readTile(tile);
    // A wrapper within a pin is the same pin once more.
    if (tile.parentElement?.closest(TILE)) leftOutCount += 1;
    else if (image.url === null || !known.has(keyOf(image.url))) found.add(image, tile);
    else found.show(known.get(keyOf(image.url)), tile);
  }
  return found.toFindings({
    tile_count: tiles.length,
    payload_count: pins.length,
    left_out_count: leftOutCount,
  });
}

/**
 * Recognise a pin.
 *
 * @param {import('../payload.js').JsonRecord} value Any object.
 * @returns {boolean} Whether it is a pin with addresses.
 */
function isPin(value) {
  const images = value['images'];
  return isRecord(images) && ('orig' in images || '736x' in images) && 'id' in value;
}

/**
 * Read a pin.
 *
 * @param {unknown} pin As the data have it.
 * @returns {RawCandidate} The image.
 */
function readPin(pin) {
  const original = getAt(pin, 'images', 'orig');
  const thumbnail = THUMBNAIL_NAMES.map((name) => textAt(pin, 'images', name, 'url'));
  const id = textAt(pin, 'id');
  return {
    url: textAt(original, 'url') ?? toOriginal(textAt(pin, 'images', '736x', 'url')),
    source_url:
      textAt(pin, 'link') ?? (id === null ? null : `https://www.pinterest.com/pin/${id}/`),
    thumbnail_url: thumbnail.find((url) => url !== null) ?? null,
    title: textAt(pin, 'title') ?? textAt(pin, 'grid_title') ?? textAt(pin, 'seo_alt_text'),
    width: getAt(original, 'width'),
    height: getAt(original, 'height'),
  };
}

/**
 * Read a tile.
 *
 * @param {Element} tile A pin as shown.
 * @returns {RawCandidate} The image; its extension may differ from the original's.
 */
function readTile(tile) {
  const { addresses, ...shown } = readShown(tile);
  return {
    ...shown,
    url: addresses.find((url) => url.includes('/originals/')) ?? toOriginal(addresses[0] ?? null),
    source_url: tile.querySelector(PIN_LINK)?.getAttribute('href'),
  };
}

/**
 * Name what two sizes of a picture have in common.
 *
 * @param {string | null | undefined} url Address of one.
 * @returns {string | null | undefined} The last of its path, without the extension, which may differ.
 */
function keyOf(url) {
  return IMAGE_PATH.exec(url ?? '')?.[1]?.replace(/\.\w+$/, '') ?? url;
}

/**
 * Turn a small size's address into the original's.
 *
 * @param {string | null} url Address of any size.
 * @returns {string | null} Address of the original; null where it is none of Pinterest's images.
 */
function toOriginal(url) {
  const path = IMAGE_PATH.exec(url ?? '')?.[1];
  return path === undefined ? null : `https://i.pinimg.com/originals${path}`;
}

// Fixtures: tests/fixtures/pages/pinterest-*; expected counts in tests/extension/adapters.test.js.
