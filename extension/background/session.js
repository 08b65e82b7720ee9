/** The paired server: calls it with the stored token, pairs, and notices when the pairing is over. */
import { BowerbirdError, ServerProblem } from '../lib/errors.js';
import { ServerApi } from './api.js';

/** The revision of the server's interface that this extension speaks. */
const API_VERSION = 1;
/** Bounds the loop over a paged list: 20 pages of 500. */
const MAX_PAGES = 20;

/** Calls the server that this browser is paired with. */
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
   * @returns {Promise<T>} The server's answer.
   * @throws {BowerbirdError} As `ServerApi.call`; `not-paired` without a valid token.
   */
  async call(call) {
    const { server, pairing, is_pairing_lost } = await this.settings.read();
    if (pairing === null) throw notPaired(is_pairing_lost);
    try {
      return await new ServerApi(server, pairing.token).call(call);
    } catch (error) {
      if (!(error instanceof ServerProblem) || error.status !== 401) throw error;
      await this.#forgetToken(pairing.token);
      throw notPaired(true);
    }
  }

  /**
   * Read all pages of a list.
   *
   * @template T
   * @param {string} path Path of the list, without a query.
   * @param {Record<string, string>} query Filters.
   * @returns {Promise<T[]>} Its items, up to 10,000.
   */
  async list(path, query = {}) {
    /** @type {T[]} */
    const items = [];
    /** @type {string | null} */
    let cursor = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      /** @type {Record<string, string>} */
      const position = cursor === null ? {} : { cursor };
      const parameters = new URLSearchParams({ ...query, limit: '500', ...position });
      /** @type {{items: T[], next_cursor: string | null}} */
      const reply = await this.call({ path: `${path}?${parameters.toString()}` });
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
   * Exchange a code from the server's page for a token of our own.
   *
   * @param {string} server Origin of the server.
   * @param {string} code Code as typed.
   * @throws {BowerbirdError} As `ServerApi.call`.
   */
  async pair(server, code) {
    /** @type {import('../lib/types.js').Pairing} */
    const pairing = await new ServerApi(server, null).call({
      method: 'POST',
      path: '/pairings/redeem',
      json: { code, client: this.client },
    });
    const { server: former } = await this.settings.read();
    // Another server's datasets and captures mean nothing here.
    const choices =
      former === server
        ? {}
        : { dataset_id: null, last_labels: {}, last_capture: null, datasets: [] };
    await this.settings.update({ server, pairing, is_pairing_lost: false, ...choices });
  }

  /** End the pairing: the server forgets the token if it can be reached, this browser always does. */
  async unpair() {
    const { pairing } = await this.settings.read();
    if (pairing === null) return;
    try {
      await this.call({ method: 'DELETE', path: `/tokens/${pairing.token_id}` });
    } catch (error) {
      // A server that is down or refuses keeps a token that nobody holds any more.
      if (!(error instanceof BowerbirdError)) throw error;
    }
    await this.settings.update({ pairing: null, is_pairing_lost: false });
  }

  /**
   * Forget a token that the server refused, unless a new pairing has replaced it meanwhile.
   *
   * @param {string} token The token that was refused.
   */
  async #forgetToken(token) {
    const { pairing } = await this.settings.read();
    if (pairing?.token === token) {
      await this.settings.update({ pairing: null, is_pairing_lost: true });
    }
  }
}

/**
 * Explain that there is no token.
 *
 * @param {boolean} isLost Whether there was one.
 * @returns {BowerbirdError} For the person.
 */
function notPaired(isLost) {
  return new BowerbirdError(
    'not-paired',
    isLost
      ? 'This browser is not paired with the server any more. Pair it again.'
      : 'This browser is not paired with a server yet.',
  );
}
