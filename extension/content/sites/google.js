/**
 * Adapter for Google Images. A tile has the key, the source page and a thumbnail; the original is in
 * an array that Google's scripts carry, in one shape since 2020: `[0, key, [thumbnail, h, w],
 * [original, h, w], …, {2003: source page and title, 2006: licence}]`. Only what is around it changed:
 * `W_jd` (2024), `AF_initDataCallback` (2020), a string of it with `\x22` for quotes (before scripts
 * ran), and twice escaped in answers to scrolling. Until 2019 it was JSON in `.rg_meta`.
 *
 * Source: saved pages of 2016, 2020, 2022, 2024 and 2026 in public repositories.
 */
import { CandidateList, fillIn, toLicense } from '../candidates.js';
import {
  cutBalanced,
  getAt,
  isRecord,
  parseJson,
  readScripts,
  textAt,
  unescapeOnce,
} from '../payload.js';
import { findTiles } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */

const HOME =
  /^(?:www|images)\.google\.[a-z.]{2,6}\/(?:search\?(?:[^#]*&)?(?:udm=2|tbm=isch)(?:&|$)|sorry\/)/;
/** A wrapper has the key too, hence the source page; the second is the layout of 2020 to 2022. */
const TILE = '[data-docid][data-lpage], div[data-tbnid][data-ri]';
const TITLE = 'img[alt]:not([alt=""])';
/** Materialised when the person points at a tile. */
const LINK = 'a[href*="imgurl="]';
const OLD_META = '.rg_meta';
/** Start of an entry; the rest is found by counting brackets. */
const ENTRY = /\[0,"([\w:-]{6,40})",\["https?:/g;
const OLD_ENTRY = /rg_meta[^<>]{0,80}>\s{0,8}(?=\{)/g;
const ESCAPED_ENTRY = /\[0,\\{1,9}(?:x22|u0022|")[\w:-]{6,40}\\|rg_meta\\{1,9}(?:x22|u0022|")/;
/** In a page, in a string, in a string of an answer: there is no deeper nesting. */
const MAX_LEVELS = 4;
/** Real entries have 1 to 3 kB. */
const MAX_ENTRY_LENGTH = 65_536;
/** Bounds what brackets that never close can cost: some 0.2 s. */
const MAX_WORK_LENGTH = 32_000_000;
const MAX_ENTRIES = 5000;

/** @type {import('../../lib/types.js').Adapter} */
export const google = {
  id: 'google',
  name: 'Google',
  home: HOME,
  blocked: {
    selector: 'form#captcha-form, [data-sitekey], iframe[src*="/httpservice/retry/enablejs"]',
    text: /unusual traffic|\/httpservice\/retry\/enablejs/,
    address: /\/sorry\//,
  },
  noResults: {
    selector: '#topstuff .card-section, .mnr-c .med',
    text: /did not match any (?:image|document)|No results found for/i,
  },
  probes: {
    selectors: { tile: TILE, title: TITLE, link: LINK, old_data: OLD_META },
    patterns: { entry: ENTRY, escaped_entry: ESCAPED_ENTRY, old_entry: OLD_ENTRY },
  },
  matches: (document, payloads) =>
    document.querySelector(`${TILE}, ${OLD_META}`) !== null ||
    [...readScripts(document), ...payloads].some(holdsEntries),
  findCandidates,
};

/**
 * Read every result: tiles in page order, then what the data hold beyond them.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers to scrolling, as texts.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Results.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const entries = readEntries(document, payloads);
  const tiles = findTiles(document, TILE);
  const shown = new Set();
  for (const tile of tiles) {
    const id = tile.getAttribute('data-docid') ?? tile.getAttribute('data-tbnid') ?? '';
    if (shown.has(id)) continue;
    shown.add(id);
    found.add(fillIn(entries.get(id) ?? { url: null }, readTile(tile)), tile);
  }
  for (const [id, entry] of entries) if (!shown.has(id)) found.add(entry);
  return found.toFindings({
    tile_count: tiles.length,
    payload_count: entries.size,
    left_out_count: tiles.length - shown.size,
  });
}

/**
 * Tell cheaply whether a text holds entries, escaped or not.
 *
 * @param {string} text Script or answer.
 * @returns {boolean} True when there is at least the start of one.
 */
function holdsEntries(text) {
  if (!text.includes('encrypted-tbn')) return false;
  return [ENTRY, OLD_ENTRY, ESCAPED_ENTRY].some((pattern) => text.search(pattern) >= 0);
}

/**
 * Read all that the page's data hold.
 *
 * @param {Document} document Page to read.
 * @param {string[]} payloads Answers to scrolling, as texts.
 * @returns {Map<string, RawCandidate>} Images by key, in the order of the texts.
 */
function readEntries(document, payloads) {
  /** @type {Map<string, RawCandidate>} */
  const entries = new Map();
  addEntries(entries, [...readScripts(document), ...payloads]);
  for (const meta of [...document.querySelectorAll(OLD_META)].slice(0, MAX_ENTRIES)) {
    addOldEntry(entries, meta.textContent ?? '');
  }
  return entries;
}

/**
 * Read all entries out of texts, undoing escapes level by level until they show.
 *
 * @param {Map<string, RawCandidate>} entries Where they go; the first of a key stays.
 * @param {string[]} texts Scripts and answers.
 */
function addEntries(entries, texts) {
  let workLength = 0;
  /** @type {(text: string, start: number) => string | null} */
  const cut = (text, start) => {
    if (workLength > MAX_WORK_LENGTH || entries.size >= MAX_ENTRIES) return null;
    const cutOut = cutBalanced(text, start, MAX_ENTRY_LENGTH);
    workLength += cutOut?.length ?? MAX_ENTRY_LENGTH;
    return cutOut;
  };
  for (const written of texts.filter(holdsEntries)) {
    let text = written;
    for (let level = 0; level < MAX_LEVELS; level += 1) {
      for (const { index } of text.matchAll(ENTRY)) addEntry(entries, cut(text, index));
      for (const { 0: anchor, index } of text.matchAll(OLD_ENTRY)) {
        addOldEntry(entries, cut(text, index + anchor.length));
      }
      if (!ESCAPED_ENTRY.test(text)) break;
      text = unescapeOnce(text);
    }
  }
}

/**
 * Read an entry of today's shape. Sizes are height first.
 *
 * @param {Map<string, RawCandidate>} entries Where it goes; the first of a key stays.
 * @param {string | null} text The entry.
 */
function addEntry(entries, text) {
  const entry = parseJson(text);
  const id = textAt(entry, 1);
  if (!Array.isArray(entry) || id === null || entries.has(id)) return;
  const info = entry.find(isRecord);
  const terms = getAt(info, '2006', 11);
  const creators = getAt(terms, 5);
  entries.set(id, {
    url: textAt(entry, 3, 0),
    height: getAt(entry, 3, 1),
    width: getAt(entry, 3, 2),
    thumbnail_url: textAt(entry, 2, 0),
    source_url: textAt(info, '2003', 2),
    title: textAt(info, '2003', 3) ?? textAt(info, '2008', 1),
    license: toLicense(
      textAt(terms, 1) ?? textAt(terms, 0),
      ...(Array.isArray(creators) ? /** @type {unknown[]} */ (creators) : []),
      textAt(terms, 3),
    ),
  });
}

/**
 * Read an entry of the shape used until 2019.
 *
 * @param {Map<string, RawCandidate>} entries Where it goes; the first of a key stays.
 * @param {string | null} text The entry's JSON.
 */
function addOldEntry(entries, text) {
  const entry = parseJson(text);
  const id = textAt(entry, 'id');
  if (id === null || entries.has(id)) return;
  entries.set(id, {
    url: textAt(entry, 'ou'),
    height: getAt(entry, 'oh'),
    width: getAt(entry, 'ow'),
    thumbnail_url: textAt(entry, 'tu'),
    source_url: textAt(entry, 'ru'),
    title: textAt(entry, 'pt'),
  });
}

/**
 * Read what a tile says itself: its source page and title, and once the person pointed at it, a link
 * with the original.
 *
 * @param {Element} tile A result.
 * @returns {RawCandidate} What is known; without `url` where there is no link yet.
 */
function readTile(tile) {
  const [, query = ''] = (tile.querySelector(LINK)?.getAttribute('href') ?? '').split('?', 2);
  const parameters = new URLSearchParams(query.slice(0, MAX_ENTRY_LENGTH));
  const image = tile.querySelector(TITLE);
  return {
    url: parameters.get('imgurl'),
    source_url: tile.getAttribute('data-lpage') ?? parameters.get('imgrefurl'),
    thumbnail_url: image?.getAttribute('src'),
    title: image?.getAttribute('alt'),
    width: tile.getAttribute('data-ow') ?? parameters.get('w'),
    height: tile.getAttribute('data-oh') ?? parameters.get('h'),
  };
}

// Fixtures: tests/fixtures/pages/google-*; expected counts in tests/extension/adapters.test.js.
