/**
 * Numbers, times and sizes as people read them. Pure, but for `relativeTime`'s default clock.
 */
import { h } from './dom.js';

const LOCALE = 'en';
const COUNT = new Intl.NumberFormat(LOCALE);
const RELATIVE = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });
const EXACT = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });
const PLURAL = new Intl.PluralRules(LOCALE);

/** Largest first: the unit and its length. */
const UNITS = /** @type {const} */ ([
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]);

/**
 * @param {number} value A whole number.
 * @returns {string} With separators: 12,345.
 */
export const count = (value) => COUNT.format(value);

/**
 * @param {number} value How many.
 * @param {string} one The word for one.
 * @param {string} [many] The word for any other number.
 * @returns {string} The number with its word: 1 image, 2 images.
 */
export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${PLURAL.select(value) === 'one' ? one : many}`;
}

/**
 * @param {number} ratio 0 to 1.
 * @param {number} [digits] After the point.
 * @returns {string} As a percentage: 4.2 %.
 */
export function percent(ratio, digits = 1) {
  const number = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: digits });
  return `${number.format(ratio * 100)}\u00a0%`;
}

/**
 * @param {number} value A size.
 * @returns {string} In the unit that fits, on one line with it: 1.4 MB.
 */
export function bytes(value) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  const number = new Intl.NumberFormat(LOCALE, {
    style: 'unit',
    unit: units[power] ?? 'byte',
    maximumFractionDigits: power > 1 ? 1 : 0,
  });
  return number.format(value / 1000 ** power).replaceAll(' ', '\u00a0');
}

/**
 * @param {number} seconds A length of time.
 * @returns {string} 0.8 s, 42 s, 3 min 5 s, 2 h 10 min.
 */
export function duration(seconds) {
  if (seconds < 10) return `${(Math.round(seconds * 10) / 10).toString()} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${String(whole)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${String(minutes)} min ${String(whole % 60)} s`;
  return `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}

/**
 * @param {string} iso A time.
 * @param {number} [now_ms] The clock.
 * @returns {string} How long ago: 3 minutes ago, yesterday.
 */
export function relativeTime(iso, now_ms = Date.now()) {
  const seconds = Math.round((Date.parse(iso) - now_ms) / 1000);
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return RELATIVE.format(Math.trunc(seconds / length), unit);
  }
  return Math.abs(seconds) < 10 ? 'just now' : RELATIVE.format(seconds, 'second');
}

/**
 * @param {string} iso A time.
 * @returns {HTMLTimeElement} How long ago, with the exact time as its title.
 */
export function timeElement(iso) {
  return h('time', { datetime: iso, title: EXACT.format(new Date(iso)) }, relativeTime(iso));
}

/**
 * @param {string} url An address.
 * @returns {string} Its host, or the text itself when it is no address.
 */
export function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host : url;
}

/**
 * @param {string | null | undefined} url An address.
 * @returns {string | null} Its host as the server writes it: without a port, and an IPv6 address without brackets.
 */
export function siteOf(url) {
  if (!url || !URL.canParse(url)) return null;
  return new URL(url).hostname.replace(/^\[|\]$/g, '') || null;
}

/**
 * Only these may become a link: an address from a page could be `javascript:`.
 * @param {string | null | undefined} url An address that somebody else wrote.
 * @returns {string | null} The same when it is http or https.
 */
export function webUrl(url) {
  if (!url || !URL.canParse(url)) return null;
  return /^https?:$/.test(new URL(url).protocol) ? url : null;
}
