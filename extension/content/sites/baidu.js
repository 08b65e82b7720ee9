/**
 * Adapter for Baidu's image search. Its answers (`acjson`) are JSON with bad escapes, and have the
 * addresses of original and source page in a substitution cipher. `replaceUrl` has them in the clear,
 * but there the image may be Baidu's thumbnail.
 *
 * Source: searxng/searxng, searx/engines/baidu.py (2026-08), for the answer; the cipher is the one in
 * every program that reads Baidu, checked on a saved answer of 2020-11.
 */
import { CandidateList, isThumbnail } from '../candidates.js';
import { findRecords, getAt, parseJson, readScripts, textAt } from '../payload.js';
import { findTiles } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */

const HOME = /^(?:image\.baidu\.com\/search|wappass\.baidu\.com\/static\/captcha)/;
const TILE = 'li.imgitem[data-objurl]';
/** Browsers show an answer that was opened by itself so. */
const SHOWN_ANSWER = 'body > pre';
/** Escapes that JSON does not know, such as `\'`. */
const BAD_ESCAPE = /\\(?:(["\\/bfnrtu])|([^]))/g;
const TAG = /<\/?[a-z][^<>]{0,200}>/gi;
/** What `http:` and `https:` become. */
const CIPHERED = /^ipprf?_z2C\$q/;
const MAX_ADDRESS_LENGTH = 20_000;
const HTTP = /^https?:\/\//i;
/** Groups for punctuation first, since their letters are in the table too. */
const CIPHER = /_z2C\$q|_z&e3B|AzdH3F|[a-w0-9]/g;
/** @type {Map<string, string>} */
const CLEAR = new Map([
  ['_z2C$q', ':'],
  ['_z&e3B', '.'],
  ['AzdH3F', '/'],
  ...zip('wkv1ju2it3hs4g5rq6fp7eo8dn9cm0bla', 'abcdefghijklmnopqrstuvw1234567890'),
]);

/** @type {import('../../lib/types.js').Adapter} */
export const baidu = {
  id: 'baidu',
  name: 'Baidu',
  home: HOME,
  blocked: {
    selector: '.passMod_dialog-wrapper, button.timeout-button, #captcha',
    text: /百度安全验证|"message":\s?"Forbid spider access"|"antiFlag":\s?1/,
    address: /^wappass\.baidu\.com\/static\/captcha/,
  },
  noResults: {
    selector: '.no-result, #noresult, .imgpage-noresult',
    text: /抱歉，没有找到与/,
  },
  probes: {
    selectors: { tile: TILE, shown_answer: SHOWN_ANSWER },
    patterns: { original: /"objURL":/, copy: /"replaceUrl":/, thumbnail: /"thumbURL":/ },
  },
  matches: (document, payloads) =>
    document.querySelector(TILE) !== null ||
    payloads.some((text) => text.includes('"thumbURL"') && text.includes('"fromURL')),
  findCandidates,
};

/**
 * Read every result.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers to scrolling.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Results.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const shown = document.querySelector(SHOWN_ANSWER)?.textContent ?? '';
  const texts = [...readScripts(document), shown, ...payloads].filter((text) =>
    text.includes('"thumbURL"'),
  );
  const records = texts.flatMap((text) => findRecords(parseTolerantly(text), isResult));
  for (const record of records) found.add(readResult(record));
  const tiles = findTiles(document, TILE);
  for (const tile of tiles) found.add(readTile(tile), tile);
  return found.toFindings({ tile_count: tiles.length, payload_count: records.length });
}

/**
 * Parse an answer whose strings may have escapes that JSON does not know.
 *
 * @param {string} text The answer.
 * @returns {unknown} Its value; null when it is beyond repair.
 */
function parseTolerantly(text) {
  return (
    parseJson(text) ??
    parseJson(
      text.replace(BAD_ESCAPE, (whole, /** @type {string | undefined} */ good, bad) =>
        good === undefined ? String(bad) : whole,
      ),
    )
  );
}

/**
 * Recognise a result in an answer; the last of a list is an empty object.
 *
 * @param {import('../payload.js').JsonRecord} value Any object in it.
 * @returns {boolean} Whether it is a result.
 */
function isResult(value) {
  return 'thumbURL' in value;
}

/**
 * Read a result.
 *
 * @param {unknown} record As the answer has it.
 * @returns {RawCandidate} The image.
 */
function readResult(record) {
  const title = textAt(record, 'fromPageTitleEnc') ?? textAt(record, 'fromPageTitle');
  return {
    url: decode(textAt(record, 'objURL')) ?? readReplacement(record, 'ObjURL'),
    source_url: decode(textAt(record, 'fromURL')) ?? readReplacement(record, 'FromURL'),
    thumbnail_url: textAt(record, 'thumbURL'),
    // Words of the query are marked up in it.
    title: title?.slice(0, 2000).replace(TAG, ''),
    width: getAt(record, 'width'),
    height: getAt(record, 'height'),
  };
}

/**
 * Read an address that Baidu offers instead.
 *
 * @param {unknown} record A result.
 * @param {string} name Which of the two addresses.
 * @returns {string | null} The address; null where it is a thumbnail's.
 */
function readReplacement(record, name) {
  const url = textAt(record, 'replaceUrl', 0, name);
  return url !== null && isThumbnail(url) ? null : url;
}

/**
 * Read a tile of the old page.
 *
 * @param {Element} tile Element with the addresses as attributes.
 * @returns {RawCandidate} The image.
 */
function readTile(tile) {
  const image = tile.querySelector('img');
  return {
    url: decode(tile.getAttribute('data-objurl')),
    source_url: decode(tile.getAttribute('data-fromurl')),
    thumbnail_url: tile.getAttribute('data-thumburl') ?? image?.getAttribute('src'),
    title: tile.getAttribute('data-title')?.slice(0, 2000).replace(TAG, ''),
    width: tile.getAttribute('data-width'),
    height: tile.getAttribute('data-height'),
  };
}

/**
 * Decipher an address.
 *
 * @param {string | null} text Address as Baidu has it.
 * @returns {string | null} The address in the clear; null where it is of no use.
 */
function decode(text) {
  const clear = CIPHERED.test(text ?? '')
    ? text?.slice(0, MAX_ADDRESS_LENGTH).replace(CIPHER, (group) => CLEAR.get(group) ?? group)
    : text;
  return clear && HTTP.test(clear) ? clear : null;
}

/**
 * Pair the characters of two texts.
 *
 * @param {string} keys The one.
 * @param {string} values The other, of the same length.
 * @returns {[string, string][]} The pairs.
 */
function zip(keys, values) {
  return [...keys].map((key, place) => [key, values[place] ?? key]);
}

// Fixtures: tests/fixtures/pages/baidu-*; expected counts in tests/extension/adapters.test.js.
