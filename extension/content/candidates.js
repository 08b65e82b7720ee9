/**
 * Turns what an adapter read into a candidate, or refuses it. A page is a stranger's: only http(s)
 * addresses pass, and every text is capped. Imports nothing, so it runs in pages and in node alike.
 */

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/**
 * What an adapter read of an image, unchecked.
 *
 * @typedef {{url: string | null | undefined, source_url?: string | null | undefined,
 *   thumbnail_url?: string | null | undefined, title?: string | null | undefined,
 *   width?: unknown, height?: unknown, license?: string | null | undefined}} RawCandidate
 */

/** The server refuses longer addresses as `bad-url`. */
const MAX_URL_LENGTH = 8192;
const MAX_TITLE_LENGTH = 500;
/** What the server keeps of it. */
const MAX_LICENSE_LENGTH = 200;
/** No screen or camera image comes near; larger numbers are a page's mistake. */
const MAX_SIDE_PX = 100_000;
/** Small copies that Google, Bing (and who shows its results), Baidu and Pinterest make themselves. */
const THUMBNAILS = [
  /^https?:\/\/encrypted-tbn\d*\.gstatic\.com\//,
  /^https?:\/\/(?:[\w-]+\.)*bing\.(?:net|com)\/th(?:\/id\/|\?(?:[^#]*&)?id=)O/,
  /^https?:\/\/external-content\.duckduckgo\.com\/iu\//,
  /^https?:\/\/im\d*-tub[\w-]*\.yandex\.(?:net|com|ru)\/|^https?:\/\/avatars\.mds\.yandex\.net\/i\?/,
  /^https?:\/\/(?:img\d*\.imgtn\.bdimg\.com|img\d*\.baidu\.com|[\w.]+\.bdstatic\.com\/\w+)\/it\/u=/,
  /^https?:\/\/i\.pinimg\.com\/(?:60|75|136|140|150|170|236|280|474)x\d*(?:_\w+)?\//,
];

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
 * @returns {URL | null} The parsed address, or null; `URL.parse` is too new for Chrome 123.
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

/**
 * Write down under which terms an image may be used, and whom to name.
 *
 * @param {...unknown} parts Licence, its address, and those to credit, as far as known.
 * @returns {string | null} What is known, repetitions left out; null when it is nothing.
 */
export function toLicense(...parts) {
  const texts = parts.map((part) => (typeof part === 'string' ? toText(part) : null));
  const known = [...new Set(texts.filter((text) => text !== null))];
  return known.length === 0 ? null : known.join(' · ').slice(0, MAX_LICENSE_LENGTH);
}

/**
 * Recognise an engine's own small copy, which must never pass for an original.
 *
 * @param {string} url Absolute address.
 * @returns {boolean} True for the thumbnails of the known engines.
 */
export function isThumbnail(url) {
  return THUMBNAILS.some((pattern) => pattern.test(url));
}

/**
 * Complete what one source says of an image with what another does.
 *
 * @param {RawCandidate} first What counts where both know something.
 * @param {RawCandidate} second What fills the gaps.
 * @returns {RawCandidate} Both.
 */
export function fillIn(first, second) {
  const known = Object.entries(first).filter(([, value]) => value !== null && value !== undefined);
  return { ...second, ...Object.fromEntries(known) };
}

/** Collects candidates in page order, each address once. */
export class CandidateList {
  /** @param {URL} base Address of the page. */
  constructor(base) {
    this.base = base;
    /** @type {Map<string, Candidate>} */
    this.byUrl = new Map();
    /** Which element of the page shows which candidate. @type {Map<Element, Candidate>} */
    this.shown = new Map();
    this.duplicateCount = 0;
    this.withoutOriginalCount = 0;
  }

  /**
   * Add an image, unless its address can't be used, is a thumbnail's, or is there already.
   *
   * @param {RawCandidate} raw As read.
   * @param {Element | null} [element] What shows it on the page; nothing for what is in data alone.
   * @returns {boolean} False when there is no address of an original.
   */
  add(raw, element = null) {
    const url = toHttpUrl(raw.url, this.base);
    if (url === null || isThumbnail(url)) {
      this.withoutOriginalCount += 1;
      return false;
    }
    if (this.byUrl.has(url)) {
      this.duplicateCount += 1;
      this.#link(url, element);
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
      license: toLicense(raw.license),
    });
    this.#link(url, element);
    return true;
  }

  /**
   * Remember which element shows an image that is there already.
   *
   * @param {string | null | undefined} rawUrl Its address as the page has it.
   * @param {Element | null} element What shows it; several may show the same.
   */
  show(rawUrl, element) {
    this.#link(toHttpUrl(rawUrl, this.base), element);
  }

  /**
   * Remember which element shows an image.
   *
   * @param {string | null} url Its address as it is kept here.
   * @param {Element | null} element What shows it.
   */
  #link(url, element) {
    const candidate = element === null || url === null ? undefined : this.byUrl.get(url);
    if (candidate !== undefined) this.shown.set(/** @type {Element} */ (element), candidate);
  }

  /** @returns {Candidate[]} The candidates, by rank. */
  toArray() {
    return [...this.byUrl.values()];
  }

  /**
   * Sum up.
   *
   * @param {{tile_count?: number, payload_count?: number, left_out_count?: number}} counts What was
   *   seen; of what was left out, all but the repetitions.
   * @returns {import('../lib/types.js').Findings} What the page holds.
   */
  toFindings({ tile_count = 0, payload_count = 0, left_out_count = 0 }) {
    return {
      candidates: this.toArray(),
      tile_count,
      payload_count,
      left_out_count: left_out_count + this.duplicateCount,
      without_original_count: this.withoutOriginalCount,
    };
  }
}
