/**
 * Turns what an adapter read into a candidate, or refuses it. A page is a stranger's: only http(s)
 * addresses pass, and every text is capped. Imports nothing, so it runs in pages and in node alike.
 */

/** @typedef {import('../lib/types.js').Candidate} Candidate */

/** The server refuses longer addresses as `bad-url`. */
const MAX_URL_LENGTH = 8192;
const MAX_TITLE_LENGTH = 500;
/** No screen or camera image comes near; larger numbers are a page's mistake. */
const MAX_SIDE_PX = 100_000;

/**
 * Make an address absolute and check that it can be fetched by a server.
 *
 * @param {string | null | undefined} raw Address as the page has it, possibly relative.
 * @param {URL} base Address of the page.
 * @returns {string | null} Absolute http(s) address without its fragment, or null.
 */
export function toHttpUrl(raw, base) {
  const text = raw?.trim();
  if (!text || text.length > MAX_URL_LENGTH) return null;
  const url = parseUrl(text, base.href);
  // Credentials in an address are nobody's business, and the server refuses them anyway.
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password) return null;
  url.hash = '';
  return url.href.length > MAX_URL_LENGTH ? null : url.href;
}

/**
 * Parse an address.
 *
 * @param {string} text Address, possibly relative.
 * @param {string} base Absolute address to resolve against.
 * @returns {URL | null} The parsed address, or null; `URL.parse` is too new for Chrome 121.
 */
function parseUrl(text, base) {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

/**
 * Collapse white space and cap a text from a page.
 *
 * @param {string | null | undefined} raw Text as the page has it.
 * @returns {string | null} The text, or null when there is none.
 */
export function toText(raw) {
  const text = raw
    ?.slice(0, MAX_TITLE_LENGTH * 4)
    .replace(/\s+/g, ' ')
    .trim();
  return text ? text.slice(0, MAX_TITLE_LENGTH) : null;
}

/**
 * Read a size in pixels.
 *
 * @param {unknown} raw Number, or text such as `1200` or `1200px`.
 * @returns {number | null} Whole pixels of at least 1, or null.
 */
export function toPixels(raw) {
  const px = typeof raw === 'string' ? parseInt(raw, 10) : Number(raw);
  return Number.isFinite(px) && px >= 1 && px <= MAX_SIDE_PX ? Math.round(px) : null;
}

/** Collects candidates in page order, each address once. */
export class CandidateList {
  /** @param {URL} base Address of the page. */
  constructor(base) {
    this.base = base;
    /** @type {Map<string, Candidate>} */
    this.byUrl = new Map();
    this.duplicateCount = 0;
  }

  /**
   * Add an image, unless its address can't be used or is there already.
   *
   * @param {{url: string | null | undefined, source_url?: string | null | undefined,
   *   thumbnail_url?: string | null | undefined, title?: string | null | undefined,
   *   width?: unknown, height?: unknown, license?: string | null | undefined}} raw As read.
   * @returns {boolean} False when the address can't be used.
   */
  add(raw) {
    const url = toHttpUrl(raw.url, this.base);
    if (url === null) return false;
    if (this.byUrl.has(url)) {
      this.duplicateCount += 1;
      return true;
    }
    this.byUrl.set(url, {
      url,
      source_url: toHttpUrl(raw.source_url, this.base),
      thumbnail_url: toHttpUrl(raw.thumbnail_url, this.base),
      title: toText(raw.title),
      width: toPixels(raw.width),
      height: toPixels(raw.height),
      rank: this.byUrl.size,
      license: toText(raw.license),
    });
    return true;
  }

  /** @returns {Candidate[]} The candidates, by rank. */
  toArray() {
    return [...this.byUrl.values()];
  }
}
