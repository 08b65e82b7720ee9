/** Checks what scripts in pages send, which may be whatever a hostile page makes up. */
import { BowerbirdError } from '../lib/errors.js';

const MAX_URL_LENGTH = 8192;
/** Of what a person types into a search field. */
const MAX_QUERY_LENGTH = 2000;

/**
 * Read a member of what a page sent.
 *
 * @param {unknown} value Anything.
 * @param {string} name The member.
 * @returns {unknown} Its value; undefined where there is none.
 */
export function memberOf(value, name) {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return /** @type {{[name: string]: unknown}} */ (value)[name];
}

/**
 * Check addresses that a page sent.
 *
 * @param {unknown} value Anything.
 * @param {number} maxCount How many there may be.
 * @returns {string[]} The addresses.
 * @throws {BowerbirdError} They are no list of texts, too many or too long.
 */
export function toUrls(value, maxCount) {
  if (!Array.isArray(value) || value.length > maxCount) throw refusal();
  const urls = /** @type {unknown[]} */ (value);
  if (urls.every((url) => typeof url === 'string' && url.length <= MAX_URL_LENGTH)) {
    return /** @type {string[]} */ (urls);
  }
  throw refusal();
}

/**
 * Check addresses of images that are to be fetched.
 *
 * @param {unknown} value Anything.
 * @param {number} maxCount How many there may be.
 * @returns {string[]} The addresses, all of the web; at least one.
 * @throws {BowerbirdError} As `toUrls`.
 */
export function toWebUrls(value, maxCount) {
  const urls = toUrls(value, maxCount);
  if (urls.length > 0 && urls.every((url) => /^https?:\/\//i.test(url))) return urls;
  throw refusal();
}

/**
 * Check what a page says was searched for.
 *
 * @param {unknown} value Anything.
 * @returns {string | null} The query; null for none.
 * @throws {BowerbirdError} It is no text.
 */
export function toQuery(value) {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw refusal();
  return value.slice(0, MAX_QUERY_LENGTH);
}

/** @returns {BowerbirdError} For a request that our own script would not make. */
export function refusal() {
  return new BowerbirdError('unexpected', 'malformed');
}
