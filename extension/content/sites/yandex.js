/**
 * Adapter for Yandex Images. The results are JSON in the `data-state` of an element, keyed by id and
 * placed by `pos`; scrolling gets answers with the same objects. Up to 2025 each tile carried its own
 * JSON in `data-bem`. Where an original has no address, the largest copy that Yandex knows stands in.
 *
 * Source: searxng/searxng, searx/engines/yandex.py; karust/openserp, yandex/selectors.go (2026-07);
 * extesy/hoverzoom for `data-bem`. No saved page of results was to be had.
 */
import { CandidateList } from '../candidates.js';
import { findRecords, getAt, isRecord, parseJson, textAt } from '../payload.js';
import { findTiles, readShown } from '../tile.js';

/** @typedef {import('../candidates.js').RawCandidate} RawCandidate */

const HOME =
  /^(?:[\w-]+\.)?(?:yandex\.(?:com|ru|by|kz|uz|com\.tr)|ya\.ru)\/(?:images|showcaptcha|checkcaptcha)/;
const STATE = '[data-state*="serpList"], div[role="main"] [data-state], #ImagesApp[data-state]';
const OLD_TILE = '.serp-item[data-bem]';
/** A tile as a link, when neither of the two holds anything. */
const LINK = 'a[href*="/images/search?"][href*="img_url="]';

/** @type {import('../../lib/types.js').Adapter} */
export const yandex = {
  id: 'yandex',
  name: 'Yandex',
  home: HOME,
  blocked: {
    selector: '.CheckboxCaptcha, .AdvancedCaptcha, form[action*="/checkcaptcha"]',
    address: /\/(?:showcaptcha|checkcaptcha)/,
  },
  noResults: {
    selector: '.EmptySearchResults, .ImagesContentMisspell_empty, .misspell_empty',
    text: /No matching images|По вашему запросу ничего не нашлось/i,
  },
  probes: {
    selectors: { state: STATE, old_tile: OLD_TILE, link: LINK },
    patterns: { list: /"serpList"/, original: /"origUrl":/ },
  },
  matches: (document, payloads) =>
    document.querySelector(`[data-state*="serpList"], ${OLD_TILE}, ${LINK}`) !== null ||
    payloads.some((text) => text.includes('origUrl') && text.includes('serpList')),
  findCandidates,
};

/**
 * Read every result.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers to scrolling.
 * @param {URL} location The page's address.
 * @param {CandidateList} [found] Where they go.
 * @returns {import('../../lib/types.js').Findings} Results by their place.
 */
function findCandidates(document, payloads, location, found = new CandidateList(location)) {
  const states = findTiles(document, STATE);
  const texts = [...states.map((holder) => holder.getAttribute('data-state')), ...payloads];
  const entities = texts.flatMap((text) => findRecords(parseJson(text), isEntity));
  // Places go on from page to page; sorting is stable where they are missing.
  for (const entity of entities.toSorted((a, b) => placeOf(a) - placeOf(b))) {
    found.add(readEntity(entity));
  }
  const tiles = findTiles(document, OLD_TILE);
  for (const tile of tiles) found.add(readOldTile(tile), tile);
  const allLinks = findTiles(document, LINK);
  const links = entities.length + tiles.length > 0 ? [] : allLinks;
  for (const link of links) found.add(readLink(link));
  for (const link of allLinks) found.show(readLink(link).url, link);
  return found.toFindings({
    tile_count: tiles.length + links.length,
    payload_count: entities.length,
  });
}

/**
 * Recognise a result in JSON.
 *
 * @param {import('../payload.js').JsonRecord} value Any object in it.
 * @returns {boolean} Whether it is a result.
 */
function isEntity(value) {
  return 'origUrl' in value || ('viewerData' in value && 'snippet' in value);
}

/**
 * Read a result's place on the page.
 *
 * @param {unknown} entity A result.
 * @returns {number} Its place; without one, after all that have one.
 */
function placeOf(entity) {
  const place = getAt(entity, 'pos');
  return typeof place === 'number' ? place : Number.MAX_SAFE_INTEGER;
}

/**
 * Read a result.
 *
 * @param {unknown} entity As the JSON has it.
 * @returns {RawCandidate} The image.
 */
function readEntity(entity) {
  const about = {
    source_url: textAt(entity, 'snippet', 'url'),
    thumbnail_url: textAt(entity, 'image') ?? textAt(entity, 'viewerData', 'thumb', 'url'),
    title: textAt(entity, 'snippet', 'title') ?? textAt(entity, 'alt'),
  };
  const url = textAt(entity, 'origUrl');
  if (url === null) return { ...about, ...findLargest(getAt(entity, 'viewerData')) };
  return {
    ...about,
    url,
    width: getAt(entity, 'origWidth'),
    height: getAt(entity, 'origHeight'),
  };
}

/**
 * Find the largest of the copies that Yandex knows.
 *
 * @param {unknown} holder What has `dups` and `preview`.
 * @returns {RawCandidate} The copy; without address where there is none.
 */
function findLargest(holder) {
  const copies = ['dups', 'preview'].flatMap((name) => {
    const list = getAt(holder, name);
    return Array.isArray(list) ? list.filter(isRecord) : [];
  });
  const [largest] = copies.toSorted((a, b) => Number(b['w']) - Number(a['w']));
  return {
    url: textAt(largest, 'origin', 'url') ?? textAt(largest, 'url'),
    width: getAt(largest, 'w'),
    height: getAt(largest, 'h'),
  };
}

/**
 * Read a tile of the shape used until 2025.
 *
 * @param {Element} tile Element with `data-bem`.
 * @returns {RawCandidate} The image.
 */
function readOldTile(tile) {
  const data = getAt(parseJson(tile.getAttribute('data-bem')), 'serp-item');
  const largest = findLargest(data);
  const url = textAt(data, 'img_href');
  return {
    ...(url === null || url === largest.url ? largest : {}),
    url: url ?? largest.url,
    source_url: textAt(data, 'snippet', 'url'),
    thumbnail_url: textAt(data, 'thumb', 'url'),
    title: textAt(data, 'snippet', 'title'),
  };
}

/**
 * Read a tile that is a link alone.
 *
 * @param {Element} link Link to the viewer.
 * @returns {RawCandidate} The image.
 */
function readLink(link) {
  const [, query = ''] = (link.getAttribute('href') ?? '').split('?', 2);
  const { thumbnail_url, title } = readShown(link);
  return { url: new URLSearchParams(query).get('img_url'), thumbnail_url, title };
}

// Fixtures: tests/fixtures/pages/yandex-*; expected counts in tests/extension/adapters.test.js.
