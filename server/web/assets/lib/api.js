/**
 * The one place that talks to the server: the request, its time limit, and problem+json as an error.
 * What is asked for stands in resources.js.
 */

/** Longest wait for an ordinary answer; the server's own slowest route (a snapshot) takes seconds. */
const TIMEOUT_MS = 60_000;

/** Sent on `document` when the server no longer knows who we are; main.js then shows the sign-in page. */
export const SIGNED_OUT = 'bowerbird:signed-out';

/** @typedef {{slug: string, title: string, status: number, detail: string, members: Record<string, unknown>}} ProblemFields */

/** A refusal by the server (RFC 9457), or that it could not be reached (`status` 0). */
export class Problem extends Error {
  /** @param {ProblemFields} fields What the server said. */
  constructor({ slug, title, status, detail, members }) {
    super(detail || title);
    this.name = 'Problem';
    this.slug = slug;
    this.title = title;
    this.status = status;
    this.detail = detail;
    this.members = members;
  }
}

/**
 * @param {string} slug Which kind of failure.
 * @param {string} detail What happened and what to do.
 * @returns {Problem} A problem that was found on this side.
 */
function localProblem(slug, detail) {
  return new Problem({ slug, title: 'No answer from the server', status: 0, detail, members: {} });
}

/**
 * @param {unknown} value Anything from JSON.
 * @returns {Record<string, unknown>} The object, or an empty one.
 */
function asRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? /** @type {Record<string, unknown>} */ (value)
    : {};
}

/**
 * Read a refusal, also one that is not problem+json (a proxy's page).
 * @param {Response} response An answer that is not 2xx.
 * @returns {Promise<Problem>} The same as an error to throw.
 */
async function readProblem(response) {
  /** @type {Record<string, unknown>} */
  let body = {};
  try {
    body = asRecord(await response.json());
  } catch {
    // Not JSON: the status alone has to do.
  }
  const text = (/** @type {string} */ key) => (typeof body[key] === 'string' ? body[key] : '');
  return new Problem({
    slug: text('type').replace(/^.*\//, '') || 'unknown',
    title: text('title') || response.statusText || 'Refused',
    status: response.status,
    detail: text('detail') || `The server answered with status ${String(response.status)}.`,
    members: body,
  });
}

/**
 * Read a refusal of somebody who should be signed in, and announce it when the server no longer knows who that is.
 * @param {Response} response An answer that is not 2xx.
 * @returns {Promise<Problem>} The same as an error to throw.
 */
export function readRefusal(response) {
  if (response.status === 401) document.dispatchEvent(new Event(SIGNED_OUT));
  return readProblem(response);
}

/**
 * @param {string} path Under the API's prefix, such as `/datasets`.
 * @param {Record<string, string | number | boolean | null | undefined>} [query] Left out when null or undefined.
 * @returns {string} The address to ask.
 */
export function apiUrl(path, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) search.set(name, String(value));
  }
  const text = search.toString();
  return `/api/v1${path}${text ? `?${text}` : ''}`;
}

/**
 * @typedef {object} RequestOptions
 * @property {unknown} [json] Sent as a JSON body.
 * @property {FormData} [form] Sent as multipart.
 * @property {AbortSignal | undefined} [signal] Stops the request.
 * @property {boolean} [isSignIn] A 401 is then an answer, not the end of the sign-in.
 * @property {boolean} [isVisit] Of a visitor: no cookie goes along, and no answer is about a sign-in.
 */

/**
 * @param {string} method An HTTP method.
 * @param {RequestOptions} options What to send.
 * @returns {RequestInit} The options of fetch.
 */
function requestInit(method, { json, form, signal, isVisit }) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  /** @type {RequestInit} */
  const init = {
    method,
    credentials: isVisit ? 'omit' : 'same-origin',
    headers: { Accept: 'application/json' },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  };
  if (form) init.body = form;
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  }
  return init;
}

/**
 * @param {string} method An HTTP method.
 * @param {string} url Where.
 * @param {RequestOptions} options What to send.
 * @returns {Promise<Response>} Any answer; rejects when there is none.
 */
async function send(method, url, options) {
  try {
    return await fetch(url, requestInit(method, options));
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
    throw isTimeout
      ? localProblem('timeout', 'The server took too long to answer. Try again.')
      : localProblem('unreachable', 'The server does not answer. Is `bowerbird serve` running?');
  }
}

/**
 * Ask the server. Rejects with a {@link Problem}, or with an AbortError when `signal` says stop.
 * @param {string} method An HTTP method.
 * @param {string} url From {@link apiUrl}.
 * @param {RequestOptions} [options] What to send.
 * @returns {Promise<unknown>} The JSON of the answer; undefined for an empty one.
 */
export async function request(method, url, options = {}) {
  const response = await send(method, url, options);
  const isAnswer = options.isSignIn ?? options.isVisit;
  if (!response.ok) throw await (isAnswer ? readProblem : readRefusal)(response);
  if (response.status === 204) return undefined;
  return /** @type {Promise<unknown>} */ (response.json());
}

/**
 * Ask what an answer would be, without its body. Rejects as {@link request} does.
 * @param {string} url From {@link apiUrl}.
 * @param {AbortSignal} [signal] Stops the request.
 * @returns {Promise<Headers>} What the server says of it.
 */
export async function requestHead(url, signal) {
  const response = await send('HEAD', url, { signal });
  if (!response.ok) throw await readRefusal(response);
  return response.headers;
}
