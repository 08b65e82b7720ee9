/** The paired servers: calls them with their tokens, pairs, and notices when a pairing is over. */
import { BowerbirdError, ServerProblem } from '../lib/errors.js';
import { text } from '../lib/text.js';
import { ServerApi } from './api.js';

/** The revision of the server's interface that this extension speaks. */
const API_VERSION = 1;
/** Bounds the loop over a paged list: 20 pages of 500. */
const MAX_PAGES = 20;

/** Calls the servers that this browser is paired with. */
export class Session {
  /**
   * @param {import('./settings.js').SettingsStore} settings Where the pairing is kept.
   * @param {string} client Name of this build for the server.
   */
  constructor(settings, client) {
    this.settings = settings;
    this.client = client;
  }

  /**
   * Call a route with the stored token.
   *
   * @template T
   * @param {import('./api.js').Call} call What to ask.
   * @param {string} [server] Origin of the server to ask; the active one when left out.
   * @returns {Promise<T>} The server's answer.
   * @throws {BowerbirdError} As `ServerApi.call`; `not-paired` without a valid token.
   */
  async call(call, server) {
    return this.#ask((api) => api.call(call), server);
  }

  /**
   * Download a file with the stored token.
   *
   * @param {string} path Path below the API's prefix.
   * @param {number} maxBytes What is longer is refused.
   * @param {string} [server] As in `call`.
   * @returns {Promise<ArrayBuffer>} Its bytes.
   * @throws {BowerbirdError} As `ServerApi.download`; `not-paired` without a valid token.
   */
  async download(path, maxBytes, server) {
    return this.#ask((api) => api.download(path, maxBytes), server);
  }

  /**
   * Ask a server with the stored token, and notice when that is refused.
   *
   * @template T
   * @param {(api: ServerApi) => Promise<T>} ask What to ask.
   * @param {string} [server] As in `call`.
   * @returns {Promise<T>} The answer.
   */
  async #ask(ask, server) {
    const known = await this.settings.read();
    const url = server ?? known.server;
    const { pairing = null, is_pairing_lost = false } =
      known.servers.find((each) => each.url === url) ?? {};
    if (pairing === null) throw notPaired(url, is_pairing_lost);
    try {
      return await ask(new ServerApi(url, pairing.token));
    } catch (error) {
      if (!isPairingOver(error)) throw error;
      await this.#forgetToken(url, pairing.token);
      throw notPaired(url, true);
    }
  }

  /**
   * Read all pages of a list.
   *
   * @template T
   * @param {string} path Path of the list, without a query.
   * @param {Record<string, string>} query Filters.
   * @param {string} [server] As in `call`.
   * @returns {Promise<T[]>} Its items, up to 10,000.
   * @throws {BowerbirdError} As `call`.
   */
  async list(path, query = {}, server) {
    /** @type {T[]} */
    const items = [];
    /** @type {string | null} */
    let cursor = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      /** @type {Record<string, string>} */
      const position = cursor === null ? {} : { cursor };
      const parameters = new URLSearchParams({ ...query, limit: '500', ...position });
      /** @type {{items: T[], next_cursor: string | null}} */
      const reply = await this.call({ path: `${path}?${parameters.toString()}` }, server);
      items.push(...reply.items);
      cursor = reply.next_cursor;
      if (cursor === null) break;
    }
    return items;
  }

  /**
   * Ask whether a Bowerbird server answers at an address.
   *
   * @param {string} server Origin to ask.
   * @returns {Promise<{version: string}>} What it says of itself.
   */
  async check(server) {
    return new ServerApi(server, null, 5000).call({ path: '//healthz' });
  }

  /**
   * Compare what the paired server and this extension understand.
   *
   * @returns {Promise<'older' | 'same' | 'newer'>} The server, seen from here.
   * @throws {BowerbirdError} As `call`.
   */
  async compareVersions() {
    /** @type {{api_version?: unknown}} */
    const { api_version: theirs } = await this.call({ path: '/server' });
    if (theirs === API_VERSION) return 'same';
    return Number(theirs) > API_VERSION ? 'newer' : 'older';
  }

  /**
   * Exchange a code from the server's page for a token of our own, and make that server the active one.
   *
   * @param {string} server Origin of the server.
   * @param {string} code Code as typed.
   * @throws {BowerbirdError} As `ServerApi.call`; `too-many-servers`.
   */
  async pair(server, code) {
    // Before: a code works once, and a token that cannot be kept is lost.
    await this.settings.checkRoom(server);
    /** @type {import('../lib/types.js').Pairing} */
    const pairing = await new ServerApi(server, null).call({
      method: 'POST',
      path: '/pairings/redeem',
      json: { code, client: this.client },
    });
    await this.settings.addServer(server, pairing);
  }

  /**
   * End a pairing: the server forgets the token if it can be reached, this browser always does.
   *
   * @param {string} [server] Origin of the server; the active one when left out.
   */
  async unpair(server) {
    const known = await this.settings.read();
    const url = server ?? known.server;
    const pairing = known.servers.find((each) => each.url === url)?.pairing ?? null;
    if (pairing !== null) {
      try {
        await this.call({ method: 'DELETE', path: `/tokens/${pairing.token_id}` }, url);
      } catch (error) {
        // A server that is down or refuses keeps a token that nobody holds any more.
        if (!(error instanceof BowerbirdError)) throw error;
      }
    }
    await this.settings.update({ pairing: null, is_pairing_lost: false }, url);
  }

  /**
   * Forget a token that the server refused, unless a new pairing has replaced it meanwhile.
   *
   * @param {string} url Origin of the server.
   * @param {string} token The token that was refused.
   */
  async #forgetToken(url, token) {
    const { servers } = await this.settings.read();
    if (servers.find((each) => each.url === url)?.pairing?.token === token) {
      await this.settings.update({ pairing: null, is_pairing_lost: true }, url);
    }
  }
}

/**
 * Tell a refusal of our token from others. Where a request names its origin, the server refuses that
 * first: it knows ours by the pairing alone.
 *
 * @param {unknown} error What was thrown.
 * @returns {boolean} True when only a new pairing helps.
 */
function isPairingOver(error) {
  if (!(error instanceof ServerProblem)) return false;
  return error.status === 401 || error.slug === 'foreign-origin';
}

/**
 * Explain that there is no token.
 *
 * @param {string} url Origin of the server.
 * @param {boolean} isLost Whether there was one.
 * @returns {BowerbirdError} For the person.
 */
function notPaired(url, isLost) {
  return new BowerbirdError(
    'not-paired',
    isLost ? text('pairingOver', url) : text('notPaired', url),
  );
}
