/**
 * Which images are shown, as it stands in the address bar: read, said in words, changed. Pure.
 */
import { explainReason } from './explain.js';

/** @typedef {import('./types.js').Image} Image */
/** @typedef {import('./types.js').Facets} Facets */
/** @typedef {Record<string, string | null>} Changes */

/** Parameters that the list of images knows by the same name. */
const PASSED = [
  'label',
  'reason',
  'engine',
  'query',
  'site',
  'min_px',
  'max_px',
  'captured_from',
  'captured_to',
  'reviewed',
  'split',
  'snapshot',
  'near_group',
  'hint',
  'q',
  'sort',
];

/** Those of them that have a place of their own on the page, and no chip. */
const WITHOUT_CHIP = new Set(['label', 'sort', 'snapshot']);

/** @type {[string, string][]} */
export const SORTS = [
  ['', 'First seen first'],
  ['newest', 'Last seen first'],
  ['sharpness', 'Blurriest first'],
  ['-sharpness', 'Sharpest first'],
  ['luma_p99', 'Darkest first'],
  ['-luma_p05', 'Brightest first'],
  ['entropy_bits', 'Plainest first'],
  ['-entropy_bits', 'Busiest first'],
  ['size', 'Smallest first'],
  ['-size', 'Largest first'],
  ['aspect', 'Tallest first'],
  ['-aspect', 'Widest first'],
];

/** @type {Record<string, string>} */
export const HINT_WORDS = {
  dark: 'dark',
  bright: 'bright',
  blurry: 'blurry',
  plain: 'plain',
  'odd-aspect': 'odd shape',
  small: 'small',
};

/** @type {Record<string, (value: string) => string>} */
const CHIP_WORDS = {
  reason: (value) => explainReason(value).title,
  engine: (value) => `from ${value}`,
  query: (value) => `query “${value}”`,
  site: (value) => value,
  min_px: (value) => `at least ${value} px`,
  max_px: (value) => `at most ${value} px`,
  captured_from: (value) => `captured since ${value}`,
  captured_to: (value) => `captured up to ${value}`,
  reviewed: (value) => (value === 'true' ? 'reviewed' : 'not reviewed'),
  split: (value) => (value === 'valid' ? 'validation images' : 'training images'),
  near_group: () => 'one stack',
  hint: (value) => `looks ${HINT_WORDS[value] ?? value}`,
  q: (value) => `“${value}”`,
};

/**
 * @param {URLSearchParams} query The page's address.
 * @param {string} status The state whose images the view shows.
 * @returns {Record<string, string | boolean | null>} What to ask of the server.
 */
export function imageQuery(query, status) {
  /** @type {Record<string, string | boolean | null>} */
  const asked = { status };
  for (const name of PASSED) {
    const value = query.get(name);
    if (value) asked[name] = value;
  }
  if (status === 'ready') asked['excluded'] = query.get('excluded') === 'true';
  return asked;
}

/**
 * @param {URLSearchParams} query The page's address.
 * @param {Changes} changes By parameter; null takes it away.
 * @returns {URLSearchParams} The address with them.
 */
export function changedQuery(query, changes) {
  const now = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') now.delete(name);
    else now.set(name, value);
  }
  // A split is that of a snapshot; alone, neither says anything.
  if (!now.has('split') || !now.has('snapshot')) {
    now.delete('split');
    now.delete('snapshot');
  }
  return now;
}

/**
 * @param {URLSearchParams} query The page's address.
 * @returns {{name: string, text: string}[]} The filters that are on, in words.
 */
export function activeFilters(query) {
  return PASSED.filter((name) => !WITHOUT_CHIP.has(name)).flatMap((name) => {
    const value = query.get(name);
    return value ? [{ name, text: CHIP_WORDS[name]?.(value) ?? value }] : [];
  });
}

/**
 * @param {URLSearchParams} query The page's address.
 * @returns {URLSearchParams} The same view without its filters.
 */
export function withoutFilters(query) {
  const now = new URLSearchParams();
  for (const name of ['status', 'sort']) {
    const value = query.get(name);
    if (value) now.set(name, value);
  }
  return now;
}

/**
 * @param {Image} image As it is now.
 * @param {Record<string, unknown>} asked From {@link imageQuery}.
 * @returns {boolean} Whether a change that a person can make has taken it out of the list.
 */
export function stillMatches(image, asked) {
  const { label, excluded, reviewed } = asked;
  if (label && image.label !== label) return false;
  if (typeof excluded === 'boolean' && image.excluded !== excluded) return false;
  return !reviewed || (image.reviewed_at !== null) === (reviewed === 'true');
}

/**
 * @param {Facets} facets From the server.
 * @param {string} name Of a filter.
 * @returns {{value: string, count: number}[]} Its values, the most frequent first.
 */
export function facetValues(facets, name) {
  return (facets[name] ?? [])
    .flatMap(({ value, count }) => (value === null ? [] : [{ value: String(value), count }]))
    .sort((a, b) => b.count - a.count);
}
