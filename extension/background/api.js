/** The one place that talks to our server. */
import { BowerbirdError, ServerProblem } from '../lib/errors.js';
import { text } from '../lib/text.js';
import { TooLongError, readCapped } from './read-capped.js';

const PREFIX = '/api/v1';
const IDENTITY_HEADER = 'X-Bowerbird';
/** Most answers take milliseconds; the first classification loads a model. */
const TIMEOUT_MS = 30_000;
/** For a model of 20 MB at 40 kB/s. */
const DOWNLOAD_MS = 600_000;

/**
 * @typedef {object} Call
 * @property {string} [method] HTTP method; GET when left out.
 * @property {string} path Path below the API's prefix, or a whole one that starts with `//`.
 * @property {unknown} [json] Body to send as JSON.
 * @property {FormData} [form] Body to send as a form.
 */

/** A server's address with the token for it. */
export class ServerApi {
  /**
   * @param {string} server Origin of the server.
   * @param {string | null} token Token from pairing; null before.
   * @param {number} timeoutMs Longest wait for an answer.
   */
  constructor(server, token, timeoutMs = TIMEOUT_MS) {
    this.server = server;
    this.token = token;
    this.timeoutMs = timeoutMs;
  }

  /**
   * Call a route.
   *
   * @template T
   * @param {Call} call What to ask.
   * @returns {Promise<T>} The JSON of the answer; its shape is the server's promise. Null for 204.
   * @throws {ServerProblem} The server refused.
   * @throws {BowerbirdError} `server-down` or `another-program`.
   */
  async call({ method = 'GET', path, json, form }) {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'application/json' };
    if (this.token !== null) headers['Authorization'] = `Bearer ${this.token}`;
    if (json !== undefined) headers['Content-Type'] = 'application/json';
    const response = await this.#fetch(path, {
      method,
      headers,
      body: json === undefined ? (form ?? null) : JSON.stringify(json),
    });
    if (!response.headers.has(IDENTITY_HEADER)) throw anotherProgram(this.server);
    if (!response.ok) throw new ServerProblem(await readProblem(response));
    if (response.status === 204) return /** @type {T} */ (null);
    try {
      return /** @type {T} */ (await readJson(response));
    } catch {
      throw new BowerbirdError('server-down', text('answerBroken', this.server));
    }
  }

  /**
   * Download a file.
   *
   * @param {string} path As in `Call`.
   * @param {number} maxBytes What is longer is refused.
   * @returns {Promise<ArrayBuffer>} Its bytes.
   * @throws {ServerProblem} The server refused.
   * @throws {BowerbirdError} `server-down`, `another-program` or `too-large`.
   */
  async download(path, maxBytes) {
    /** @type {Record<string, string>} */
    const headers = this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
    const response = await this.#fetch(path, { headers }, DOWNLOAD_MS);
    if (!response.headers.has(IDENTITY_HEADER)) throw anotherProgram(this.server);
    if (!response.ok) throw new ServerProblem(await readProblem(response));
    try {
      return await new Blob(await readCapped(response, maxBytes)).arrayBuffer();
    } catch (error) {
      if (error instanceof TooLongError) {
        throw new BowerbirdError('too-large', text('modelTooLarge'));
      }
      throw serverDown(this.server, error);
    }
  }

  /**
   * Send a request without cookies: the token alone says who we are.
   *
   * @param {string} path As in `Call`.
   * @param {RequestInit} init What to send.
   * @param {number} timeoutMs Longest wait for all of the answer.
   * @returns {Promise<Response>} The answer, whoever gave it.
   */
  async #fetch(path, init, timeoutMs = this.timeoutMs) {
    const address = this.server + (path.startsWith('//') ? path.slice(1) : PREFIX + path);
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await fetch(address, { ...init, credentials: 'omit', cache: 'no-store', signal });
    } catch (error) {
      throw serverDown(this.server, error);
    }
  }
}

/**
 * Read a body.
 *
 * @param {Response} response An answer.
 * @returns {Promise<unknown>} Its JSON; `unknown`, so that no caller takes its shape for granted.
 */
function readJson(response) {
  return response.json();
}

/**
 * Read the server's refusal.
 *
 * @param {Response} response An answer that is not ok.
 * @returns {Promise<import('../lib/errors.js').Problem>} Its problem, or one made from its status.
 */
async function readProblem(response) {
  /** @type {{[name: string]: unknown}} */
  let members = {};
  if (response.headers.get('Content-Type')?.includes('json')) {
    try {
      const body = await readJson(response);
      if (typeof body === 'object' && body !== null) members = { ...body };
    } catch {
      // A body that ends early: the status has to do.
    }
  }
  const { type, title, detail } = members;
  const words = [detail, title].find((each) => typeof each === 'string' && each !== '');
  return {
    slug: typeof type === 'string' ? (type.split('/').at(-1) ?? '') : '',
    status: response.status,
    detail: typeof words === 'string' ? words : text('serverStatus', response.status),
    retry_after_s: readPause(response),
    members,
  };
}

/**
 * Read how long the server, or a proxy before it, wants to be left alone.
 *
 * @param {Response} response An answer that is not ok.
 * @returns {number | null} Whole seconds; null where nothing, or a date, is said.
 */
function readPause(response) {
  const words = response.headers.get('Retry-After') ?? '';
  return /^\d{1,6}$/.test(words) ? Number(words) : null;
}

/**
 * Explain that nothing answers.
 *
 * @param {string} server Origin that was tried.
 * @param {unknown} error What `fetch` threw.
 * @returns {BowerbirdError} For the person.
 */
function serverDown(server, error) {
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
  return new BowerbirdError('server-down', text(isTimeout ? 'serverSlow' : 'serverDown', server));
}

/**
 * Explain that something else answers.
 *
 * @param {string} server Origin that was tried.
 * @returns {BowerbirdError} For the person.
 */
function anotherProgram(server) {
  return new BowerbirdError('another-program', text('anotherProgram', server));
}
