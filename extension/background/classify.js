/** Asks the server's model what an image shows, fetching the image here where the server can't. */
import { BowerbirdError, ServerProblem } from '../lib/errors.js';

/** @typedef {import('../lib/types.js').Classification} Classification */
/** @typedef {import('../lib/types.js').Dataset} Dataset */

/** Why the server could not get an image that this browser, with its cookies, may well get. */
const WORTH_A_TRY = new Set([
  'http-status',
  'blocked-address',
  'not-an-image',
  'connection',
  'dns',
]);
/** The server refuses larger images. */
const MAX_IMAGE_BYTES = 20 * 1024 * 1024;
const FETCH_TIMEOUT_MS = 15_000;

/** Classifies images by the paired server. */
export class Classifier {
  /** @param {import('./session.js').Session} session The paired server. */
  constructor(session) {
    this.session = session;
  }

  /**
   * Classify the image at an address.
   *
   * @param {string} url An http(s) or data: address.
   * @param {string | null} datasetId Whose model to ask; null for the newest live one.
   * @returns {Promise<Classification>} The model's answer.
   * @throws {BowerbirdError} As `Session.call`; `too-large`.
   */
  async classifyAddress(url, datasetId) {
    if (!/^https?:/i.test(url)) return this.classifyBlob(await readImage(url), datasetId);
    try {
      return await this.#ask(datasetId, { json: { url } });
    } catch (error) {
      if (!isWorthATry(error)) throw error;
      const blob = await readImage(url).catch(() => null);
      // The server's reason says more than our own failure does.
      if (blob === null) throw error;
      return this.classifyBlob(blob, datasetId);
    }
  }

  /**
   * Classify the bytes of an image.
   *
   * @param {Blob} blob The image.
   * @param {string | null} datasetId Whose model to ask; null for the newest live one.
   * @returns {Promise<Classification>} The model's answer.
   */
  async classifyBlob(blob, datasetId) {
    const form = new FormData();
    form.set('file', blob, 'image');
    return this.#ask(datasetId, { form });
  }

  /**
   * Ask the server and add what a person wants to know of the model.
   *
   * @param {string | null} datasetId Whose model to ask.
   * @param {{json: unknown} | {form: FormData}} body The image.
   * @returns {Promise<Classification>} The model's answer.
   */
  async #ask(datasetId, body) {
    const query = datasetId === null ? '' : `?dataset=${encodeURIComponent(datasetId)}`;
    const path = `/classify${query}`;
    /** @type {Classification} */
    const answer = await this.session.call({ method: 'POST', path, ...body });
    return { ...answer, dataset_name: await this.#findDatasetName(answer.dataset_id) };
  }

  /**
   * Find the name of the dataset that a model was trained on.
   *
   * @param {string} datasetId Its id.
   * @returns {Promise<string | null>} Its name; null when it is gone.
   */
  async #findDatasetName(datasetId) {
    try {
      /** @type {Dataset} */
      const dataset = await this.session.call({ path: `/datasets/${datasetId}` });
      return dataset.name;
    } catch (error) {
      if (error instanceof ServerProblem) return null;
      throw error;
    }
  }
}

/**
 * Decide whether to fetch an image here after the server could not.
 *
 * @param {unknown} error The server's refusal.
 * @returns {boolean} True when this browser may do better.
 */
function isWorthATry(error) {
  return (
    error instanceof ServerProblem &&
    error.slug === 'image-not-usable' &&
    WORTH_A_TRY.has(String(error.problem.members['reason']))
  );
}

/**
 * Fetch an image in the person's own session. Without a permission for its host this is an ordinary
 * cross-origin request, which that host may refuse.
 *
 * @param {string} url An http(s) or data: address.
 * @returns {Promise<Blob>} Its bytes.
 * @throws {BowerbirdError} `too-large`, `unexpected`.
 */
async function readImage(url) {
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const response = await fetch(url, { credentials: 'include', signal });
  if (!response.ok) {
    throw new BowerbirdError('unexpected', `The image's server answered ${response.status}.`);
  }
  const type = response.headers.get('Content-Type') ?? '';
  return new Blob(await readCapped(response), { type });
}

/**
 * Read a body up to the cap.
 *
 * @param {Response} response An answer.
 * @returns {Promise<Uint8Array<ArrayBuffer>[]>} Its body in pieces.
 * @throws {BowerbirdError} `too-large`.
 */
async function readCapped(response) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = [];
  const reader = response.body?.getReader();
  let byteCount = 0;
  for (;;) {
    const piece = await reader?.read();
    if (piece?.value === undefined) return pieces;
    byteCount += piece.value.byteLength;
    if (byteCount > MAX_IMAGE_BYTES) {
      await reader?.cancel();
      throw new BowerbirdError('too-large', 'The image is larger than 32 MB.');
    }
    pieces.push(piece.value);
  }
}
