/**
 * Fetches an image in the person's own session: the one way by which this browser gets what the server
 * could not. One GET with the person's cookies, under a cap of bytes and of time; nothing of it is kept.
 */
import { isPrivateHost, parseImageAddress, refererFor } from './image-address.js';
import { TooLongError, readCapped } from './read-capped.js';

/** @typedef {import('../lib/browser-fetch.js').FetchRefusal} FetchRefusal */

/** For the whole of it. Shorter than the 30 s after which an idle worker is evicted. */
const TIMEOUT_MS = 20_000;
/** What an `<img>` asks for, less what the server does not read. */
const ACCEPT = 'image/avif,image/webp,image/png,image/jpeg,image/*;q=0.8';

/** An image that this browser did not get either, and why. */
export class NotObtained extends Error {
  /**
   * @param {FetchRefusal} reason Why.
   * @param {number | null} status HTTP status of the site, where it is the reason.
   */
  constructor(reason, status = null) {
    super(reason);
    this.name = 'NotObtained';
    this.reason = reason;
    this.status = status;
  }
}

/** Fetches images in the person's session. */
export class SessionImages {
  /**
   * @param {import('./request-rules.js').RequestRules} rules The browser's rules for the request.
   * @param {() => Promise<string[]>} listServers Gives the origins of our own servers.
   * @param {number} timeoutMs Longest time for one image.
   */
  constructor(rules, listServers, timeoutMs = TIMEOUT_MS) {
    this.rules = rules;
    this.listServers = listServers;
    this.timeoutMs = timeoutMs;
  }

  /**
   * Fetch an image. Without a permission for its host this is an ordinary cross-origin request, which
   * that host may refuse.
   *
   * @param {string} address An http(s) address.
   * @param {object} how What is known of it.
   * @param {string | null} how.page Address of the page that shows it.
   * @param {boolean} how.mayBePrivate Whether the address itself may be one of the person's own
   *   network: somebody trusted has said so. Redirects never may.
   * @returns {Promise<{blob: Blob, final_url: string}>} Its bytes, and where they came from in the end.
   * @throws {NotObtained} It could not be had.
   */
  async fetch(address, { page, mayBePrivate }) {
    const url = parseImageAddress(address);
    if (url === null || (isPrivateHost(url) && !mayBePrivate)) {
      throw new NotObtained('private-address');
    }
    const servers = await this.listServers();
    // Cookies know no ports: another program beside a server of ours would get its session.
    const isBeside = servers.some((server) => new URL(server).hostname === url.hostname);
    const credentials = isBeside ? 'omit' : 'include';
    const request = { url, referer: refererFor(url, page), servers };
    return this.rules.during(request, async () => {
      try {
        return await this.#read(url, credentials);
      } catch (error) {
        throw asNotObtained(error);
      }
    });
  }

  /**
   * Make the request and read its answer.
   *
   * @param {URL} url An address that was checked.
   * @param {RequestCredentials} credentials Whether the person's cookies go with it.
   * @returns {Promise<{blob: Blob, final_url: string}>} As `fetch`.
   */
  async #read(url, credentials) {
    const response = await fetch(url, {
      credentials,
      headers: { Accept: ACCEPT },
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    try {
      checkAnswer(url, response);
      const type = response.headers.get('Content-Type') ?? '';
      return { blob: new Blob(await readCapped(response), { type }), final_url: response.url };
    } finally {
      // Of what is refused by its head, the rest is not waited for.
      if (!response.bodyUsed) await response.body?.cancel();
    }
  }
}

/**
 * Check an answer by its head.
 *
 * @param {URL} url What was asked for.
 * @param {Response} response The answer, after redirects.
 * @throws {NotObtained} It must not be used.
 */
function checkAnswer(url, response) {
  const final = parseImageAddress(response.url);
  const isElsewhere = final?.host !== url.host;
  if (final === null || (isElsewhere && isPrivateHost(final))) {
    throw new NotObtained('private-address');
  }
  // What was asked for in private must not come back over an open line, where anybody may change it.
  if (url.protocol === 'https:' && final.protocol === 'http:') throw new NotObtained('connection');
  if (!response.ok) throw new NotObtained('http-status', response.status);
}

/**
 * Name what went wrong.
 *
 * @param {unknown} error What was thrown.
 * @returns {NotObtained} Its reason.
 * @throws {unknown} What is no fault of the web.
 */
function asNotObtained(error) {
  if (error instanceof NotObtained) return error;
  if (error instanceof TooLongError) return new NotObtained('too-large');
  if (error instanceof DOMException) {
    return new NotObtained(error.name === 'TimeoutError' ? 'timeout' : 'connection');
  }
  // `fetch` says no more than this of refused connections, broken bodies and forbidden redirects.
  if (error instanceof TypeError) return new NotObtained('connection');
  throw error;
}
