/**
 * Adapter for Flickr. A page carries its model as JSON (`modelExport`) whose `legend` lists the paths
 * to the photos; scrolling gets answers of the API. The original's address has a secret of its own,
 * so it can't be guessed from a smaller size: the largest that Flickr names is taken, and a tile of
 * which only the shown size is known is a result without an original.
 *
 * Source: searxng/searxng, searx/engines/flickr_noapi.py (2026-08); mikf/gallery-dl,
 * gallery_dl/extractor/flickr.py, for licences; https://www.flickr.com/services/api/.
 */
import { CandidateList, toLicense } from '../candidates.js';
import {
  cutBalanced,
  findRecords,
  getAt,
  isRecord,
  parseJson,
  readScripts,
  textAt,
} from '../payload.js';
import { findTiles } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */

const HOME = /^(?:www\.)?flickr\.com\/(?:search|explore)\b/;
const MODEL = /\bmodelExport:\s{0,100}(?=\{)/;
const MAX_MODEL_LENGTH = 16_000_000;
const TILE = '.photo-list-photo-view, .photo-list-tile-view';
const TILE_LINK = 'a[href*="/photos/"]';
/** The number after the owner's name in a photo's address. */
const PHOTO_PATH = /\/photos\/[^/]{1,200}\/(\d{1,20})\b/;
/** Largest first. Answers of the API name them `url_o`, `width_o`, … */
const SIZES = [
  'o',
  '6k',
  '5k',
  '4k',
  '3k',
  'k',
  'h',
  'l',
  'b',
  'c',
  'z',
  'm',
  'w',
  'n',
  's',
  'q',
  't',
];
const SMALLEST_ORIGINAL = SIZES.indexOf('z');
const THUMBNAIL_SIZES = ['n', 'm', 'w', 's', 'q', 't'];
const LICENSES = [
  'All Rights Reserved',
  'CC BY-NC-SA 2.0',
  'CC BY-NC 2.0',
  'CC BY-NC-ND 2.0',
  'CC BY 2.0',
  'CC BY-SA 2.0',
  'CC BY-ND 2.0',
  'No known copyright restrictions',
  'United States Government Work',
  'CC0 1.0',
  'Public Domain Mark 1.0',
];

/** @type {import('../../lib/types.js').Adapter} */
export const flickr = {
  id: 'flickr',
  name: 'Flickr',
  home: HOME,
  blocked: { selector: '#px-captcha, .px-captcha-container' },
  noResults: {
    selector: '.no-results-message, .search-no-results, .empty-search',
    text: /Oops! There are no matches for/i,
  },
  probes: {
    selectors: { tile: TILE, link: TILE_LINK },
    patterns: { model: MODEL, sizes: /"sizes":/, size_address: /"url_[a-z]\w?":/ },
  },
  matches: (document, payloads) =>
    document.querySelector(TILE) !== null ||
    [...readScripts(document), ...payloads].some((text) => MODEL.test(text)) ||
    payloads.some((text) => text.includes('"photos"') && text.includes('"url_')),
  findCandidates,
};

/**
 * Read every photo: what the data hold, then tiles of which they say nothing.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers to scrolling.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Photos.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const texts = [...readScripts(document), ...payloads];
  const photos = new Map(texts.flatMap(readPhotos).map((photo) => [textAt(photo, 'id'), photo]));
  /** @type {Map<string | null, string | null | undefined>} */
  const addresses = new Map();
  for (const [id, photo] of photos) {
    const image = readPhoto(photo);
    addresses.set(id, image.url);
    found.add(image);
  }
  const tiles = findTiles(document, TILE);
  for (const tile of tiles) {
    const href = tile.querySelector(TILE_LINK)?.getAttribute('href') ?? '';
    const id = PHOTO_PATH.exec(href)?.[1] ?? null;
    // The tile shows one small size; there is no original without the data.
    if (photos.has(id)) found.show(addresses.get(id), tile);
    else found.add({ url: null });
  }
  return found.toFindings({ tile_count: tiles.length, payload_count: photos.size });
}

/**
 * Find the photos in a script or an answer.
 *
 * @param {string} text The text.
 * @returns {unknown[]} Photos: those that the legend names, or else all.
 */
function readPhotos(text) {
  const anchor = MODEL.exec(text);
  const json =
    anchor === null ? text : cutBalanced(text, anchor.index + anchor[0].length, MAX_MODEL_LENGTH);
  if (json === null || !/"sizes"|"url_/.test(json)) return [];
  const data = parseJson(json);
  const legend = getAt(data, 'legend');
  const named = (Array.isArray(legend) ? legend : []).map((path) =>
    unwrap(followPath(getAt(data, 'main'), path)),
  );
  const photos = named.filter((photo) => isRecord(photo) && isPhoto(photo));
  return photos.length > 0 ? photos : findRecords(data, isPhoto);
}

/**
 * Follow a path of the legend. Since 2022 what it leads through is wrapped in `data`.
 *
 * @param {unknown} value Where to start.
 * @param {unknown} path Keys and places as texts.
 * @returns {unknown} What is there.
 */
function followPath(value, path) {
  for (const key of Array.isArray(path) ? path : []) {
    if (typeof key !== 'string' && typeof key !== 'number') return undefined;
    value = getAt(value, key) ?? getAt(value, 'data', key);
  }
  return value;
}

/**
 * Take the wrapper off that values have since 2022.
 *
 * @param {unknown} value A photo, its sizes, or one size.
 * @returns {unknown} What is within `data`, or the value itself.
 */
function unwrap(value) {
  return getAt(value, 'data') ?? value;
}

/**
 * Recognise a photo.
 *
 * @param {import('../payload.js').JsonRecord} value Any object.
 * @returns {boolean} Whether it is a photo with addresses.
 */
function isPhoto(value) {
  return (
    textAt(value, 'id') !== null &&
    (isRecord(value['sizes']) || SIZES.some((size) => `url_${size}` in value))
  );
}

/**
 * Read a photo.
 *
 * @param {unknown} photo As the data have it.
 * @returns {RawCandidate} The image.
 */
function readPhoto(photo) {
  const owner = textAt(photo, 'ownerNsid') ?? textAt(photo, 'owner');
  const largest = SIZES.slice(0, SMALLEST_ORIGINAL + 1).find((size) => readSize(photo, size).url);
  const small = THUMBNAIL_SIZES.find((size) => readSize(photo, size).url);
  const license = LICENSES[Number(getAt(photo, 'license') ?? NaN)];
  const credit = decodeText(textAt(photo, 'realname') ?? textAt(photo, 'username'));
  return {
    ...(largest === undefined ? { url: null } : readSize(photo, largest)),
    source_url:
      owner === null ? null : `https://www.flickr.com/photos/${owner}/${textAt(photo, 'id')}`,
    thumbnail_url: small === undefined ? null : readSize(photo, small).url,
    title: decodeText(textAt(photo, 'title') ?? textAt(photo, 'title', '_content')),
    license: toLicense(license, license === undefined ? null : credit),
  };
}

/**
 * Read one size of a photo.
 *
 * @param {unknown} photo As the data have it.
 * @param {string} size Flickr's letter for it.
 * @returns {{url: string | null, width: unknown, height: unknown}} Its address and pixels.
 */
function readSize(photo, size) {
  const entry = unwrap(getAt(unwrap(getAt(photo, 'sizes')), size));
  return {
    url: textAt(entry, 'url') ?? textAt(photo, `url_${size}`),
    width: getAt(entry, 'width') ?? getAt(photo, `width_${size}`),
    height: getAt(entry, 'height') ?? getAt(photo, `height_${size}`),
  };
}

/**
 * Decode a text of the model, which is escaped as in an address.
 *
 * @param {string | null} text As the model has it.
 * @returns {string | null} In the clear; as it is where it is no such text.
 */
function decodeText(text) {
  if (text === null || !text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Fixtures: tests/fixtures/pages/flickr-*; expected counts in tests/extension/adapters.test.js.
