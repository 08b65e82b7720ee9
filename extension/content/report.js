/**
 * Describes how a page is built that could not be read well, for who mends its adapter: counts, lengths
 * and names of this extension's own, nothing that the page says. The page may be private and its
 * words are a stranger's, hence the report is made of what we know beforehand, and of numbers.
 */
import { readScripts } from './payload.js';

/** @typedef {import('../lib/types.js').Adapter} Adapter */
/** @typedef {import('../lib/types.js').Findings} Findings */
/** @typedef {import('../lib/types.js').PageReport} PageReport */

/** Parts of paths that tell a page's kind; any other may be a query, a name or a title. */
const PATH_WORDS =
  /^(?:images?|search|photos|pins?|s|sorry|index|wiki|Special:(?:Media)?Search|yandsearch|showcaptcha|turing|captcha|async|imgres|tag|tags|explore|collections|w|index\.php)$/;
const MAX_PATH_PARTS = 12;
/** Elements that any page of results has, whatever it calls them. */
const ELEMENTS = {
  all: '*',
  images: 'img',
  images_in_links: 'a[href] img',
  figures: 'figure',
  articles: 'article',
  lists: '[role="list"], [role="listitem"]',
  frames: 'iframe',
  scripts: 'script',
};
/** Names that sites give to what an image element or a tile's link says of the original. */
const KNOWN_ATTRIBUTES =
  /^(?:alt|class|href|id|jsaction|jscontroller|jsdata|loading|m|role|sizes|src|srcset|style|tabindex|target|title|data-(?:attrid|bem|docid|fromurl|id|lpage|objurl|oh|original|ow|ref-docid|ri|src|srcset|state|tbnid|test-id|testid|ved))$/;
/** Some 20 ms of searching. */
const MAX_TEXT_LENGTH = 8_000_000;
const MAX_MATCHES = 5000;

/**
 * Describe a page's structure.
 *
 * @param {object} page What was read.
 * @param {Document} page.document The page; nothing in it is changed.
 * @param {string[]} page.payloads Answers that its scripts got.
 * @param {URL} page.location Its address.
 * @param {Adapter} page.adapter What read it.
 * @param {Findings} page.findings What that found.
 * @param {import('../lib/types.js').ScanState} page.state How that was judged.
 * @returns {PageReport} Its structure.
 */
export function describeStructure({ document, payloads, location, adapter, findings, state }) {
  const { selectors, patterns } = adapter.probes;
  const scripts = readScripts(document);
  return {
    site: adapter.id,
    state,
    page: redactAddress(location),
    counts: {
      tiles: findings.tile_count,
      in_data: findings.payload_count,
      candidates: findings.candidates.length,
      without_original: findings.without_original_count,
      left_out: findings.left_out_count,
    },
    selectors: countEach(document, {
      ...selectors,
      blocked: adapter.blocked.selector ?? '',
      no_results: adapter.noResults.selector ?? '',
    }),
    attributes: nameAttributes(document, selectors),
    elements: countEach(document, ELEMENTS),
    scripts: { count: scripts.length, characters: sumLengths(scripts) },
    answers: { count: payloads.length, characters: sumLengths(payloads) },
    patterns: Object.fromEntries(
      Object.entries(patterns).map(([name, pattern]) => [
        name,
        { in_scripts: countMatches(scripts, pattern), in_answers: countMatches(payloads, pattern) },
      ]),
    ),
  };
}

/**
 * Name a page without what was looked for there: host, and of its path what tells its kind.
 *
 * @param {URL} location Its address.
 * @returns {string} For example `unsplash.com/s/photos/*`.
 */
function redactAddress({ host, pathname }) {
  const parts = pathname.split('/', MAX_PATH_PARTS + 1).slice(1);
  const kept = parts.map((part) => (part === '' || PATH_WORDS.test(part) ? part : '*'));
  return [host, ...kept].join('/');
}

/**
 * Count elements.
 *
 * @param {Document} document The page.
 * @param {Readonly<Record<string, string>>} selectors What to count, by name.
 * @returns {Record<string, number>} How many there are, by the same names.
 */
function countEach(document, selectors) {
  return Object.fromEntries(
    Object.entries(selectors)
      .filter(([, selector]) => selector !== '')
      .map(([name, selector]) => [name, document.querySelectorAll(selector).length]),
  );
}

/**
 * Name the attributes that the first element of each kind has, as far as we know them beforehand.
 *
 * @param {Document} document The page.
 * @param {Readonly<Record<string, string>>} selectors Kinds, by name.
 * @returns {Record<string, string>} Attributes by the same names; how many more there are at the end.
 */
function nameAttributes(document, selectors) {
  /** @type {Record<string, string>} */
  const described = {};
  for (const [kind, selector] of Object.entries(selectors)) {
    const names = document.querySelector(selector)?.getAttributeNames() ?? [];
    const known = names.filter((name) => KNOWN_ATTRIBUTES.test(name));
    const rest = names.length - known.length;
    if (names.length > 0) described[kind] = [...known, ...(rest > 0 ? [`+${rest}`] : [])].join(' ');
  }
  return described;
}

/**
 * Count a pattern in texts.
 *
 * @param {string[]} texts Scripts or answers.
 * @param {RegExp} pattern What to count.
 * @returns {number} How often it is there, `MAX_MATCHES` at most.
 */
function countMatches(texts, pattern) {
  const global = new RegExp(pattern.source, 'g');
  let count = 0;
  let length = 0;
  for (const text of texts) {
    length += text.length;
    if (length > MAX_TEXT_LENGTH) break;
    const matches = text.matchAll(global);
    while (count < MAX_MATCHES && matches.next().done !== true) count += 1;
  }
  return count;
}

/**
 * Add up lengths.
 *
 * @param {string[]} texts Scripts or answers.
 * @returns {number} Characters of all of them.
 */
function sumLengths(texts) {
  return texts.reduce((sum, { length }) => sum + length, 0);
}
