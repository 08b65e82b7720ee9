/**
 * Adapter for Unsplash. Its own answers (`/napi/…`) name every size; a tile has a `srcset` of which
 * any address without its query is the original. What is for subscribers (`plus`, `premium_photo-`)
 * is watermarked and left out, as are advertisements.
 *
 * Source: a saved answer of 2018-10; mikf/gallery-dl, gallery_dl/extractor/unsplash.py (2026-08).
 */
import { CandidateList, toHttpUrl, toLicense } from '../candidates.js';
import { findRecords, getAt, isRecord, parseJson, readScripts, textAt } from '../payload.js';
import { findTiles, readShown } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */

const HOME = /^unsplash\.com\/(?:(?:[a-z]{2}\/)?s\/|napi\/search)/;
const TILE = 'figure[data-testid*="asset-grid"], [data-testid="photos-feed-route"] figure';
const ANY_TILE = `${TILE}, figure:has(a[href*="/photos/"] img[srcset*="images.unsplash.com/"])`;
const PAGE_LINK = 'a[href*="/photos/"]';
const CREDIT = 'a[href^="/@"]';
/** The path of an image: what an answer and its tile have in common. */
const IMAGE_PATH = /^https:\/\/images\.unsplash\.com(\/(?:photo|flagged\/photo|reserve)[-/][^?#]+)/;
const PREMIUM = /^https:\/\/plus\.unsplash\.com\/|premium_photo-/;
const LICENSE = 'Unsplash License';
const LICENSE_PAGE = 'https://unsplash.com/license';

/** @type {import('../../lib/types.js').Adapter} */
export const unsplash = {
  id: 'unsplash',
  name: 'Unsplash',
  home: HOME,
  blocked: {
    selector: '#anubis_challenge, #challenge-form',
    text: /Making sure you(?:'|’)re not a bot/i,
  },
  noResults: {
    selector: '[data-testid="no-results"], img[alt="No content available"]',
    text: /No (?:photos|images) found|Nothing to see here/i,
  },
  probes: {
    selectors: { tile: TILE, any_tile: ANY_TILE, link: PAGE_LINK, credit: CREDIT },
    patterns: { addresses: /"urls":/, original: /"raw":\s?"http/ },
  },
  matches: (document, payloads) =>
    document.querySelector(ANY_TILE) !== null ||
    payloads.some((text) => text.includes('images.unsplash.com') && text.includes('"urls"')),
  findCandidates,
};

/**
 * Read every photo: what the answers hold, then tiles of which they say nothing.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers to scrolling.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Photos.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const texts = [...readScripts(document), ...payloads].filter((text) => text.includes('"urls"'));
  const records = texts.flatMap((text) => findRecords(parseJson(text), isPhoto));
  /** @type {Map<string | null | undefined, string | null | undefined>} */
  const known = new Map();
  let leftOutCount = 0;
  /** @type {(image: RawCandidate, isForSale: boolean, tile: Element | null) => void} */
  const add = (image, isForSale, tile) => {
    const key = IMAGE_PATH.exec(image.url ?? '')?.[1] ?? image.url;
    if (isForSale || PREMIUM.test(image.url ?? '')) leftOutCount += 1;
    else if (!key || !known.has(key)) found.add(image, tile);
    else found.show(known.get(key), tile);
    if (!known.has(key)) known.set(key, image.url);
  };
  for (const record of records) {
    add(
      readPhoto(record),
      ['plus', 'premium', 'sponsored'].some((name) => record[name] === true),
      null,
    );
  }
  const tiles = findTiles(document, ANY_TILE);
  for (const tile of tiles) add(readTile(tile, location), false, tile);
  return found.toFindings({
    tile_count: tiles.length,
    payload_count: records.length,
    left_out_count: leftOutCount,
  });
}

/**
 * Recognise a photo in an answer.
 *
 * @param {import('../payload.js').JsonRecord} value Any object in it.
 * @returns {boolean} Whether it is a photo with addresses.
 */
function isPhoto(value) {
  const urls = value['urls'];
  return isRecord(urls) && ('raw' in urls || 'full' in urls) && isRecord(value['links']);
}

/**
 * Read a photo.
 *
 * @param {unknown} record As the answer has it.
 * @returns {RawCandidate} The image.
 */
function readPhoto(record) {
  return {
    url: textAt(record, 'urls', 'raw') ?? textAt(record, 'urls', 'full'),
    source_url: textAt(record, 'links', 'html'),
    thumbnail_url: textAt(record, 'urls', 'thumb') ?? textAt(record, 'urls', 'small'),
    title: textAt(record, 'alt_description') ?? textAt(record, 'description'),
    width: getAt(record, 'width'),
    height: getAt(record, 'height'),
    license: toLicense(LICENSE, LICENSE_PAGE, textAt(record, 'user', 'name')),
  };
}

/**
 * Read a tile.
 *
 * @param {Element} tile A result.
 * @param {URL} location The page's address.
 * @returns {RawCandidate} The image; without `url` where its address is of another kind.
 */
function readTile(tile, location) {
  // The author's portrait is an image, too.
  const { addresses, ...shown } = readShown(tile, `${PAGE_LINK} img, img[srcset]`);
  const path = addresses.map((url) => IMAGE_PATH.exec(url)?.[1]).find((each) => each);
  const page = tile.querySelector(PAGE_LINK)?.getAttribute('href');
  return {
    ...shown,
    url: path ? `https://images.unsplash.com${path}` : addresses.find((url) => PREMIUM.test(url)),
    source_url: toHttpUrl(page, location),
    license: toLicense(LICENSE, LICENSE_PAGE, tile.querySelector(CREDIT)?.textContent),
  };
}

// Fixtures: tests/fixtures/pages/unsplash-*; expected counts in tests/extension/adapters.test.js.
