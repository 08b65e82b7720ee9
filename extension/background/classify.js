/** Asks the server's model what an image shows, fetching the image here where the server can't. */
import { BowerbirdError, ServerProblem } from '../lib/errors.js';
import { text } from '../lib/text.js';
import { TooLongError, readCapped } from './read-capped.js';
import { NotObtained } from './session-image.js';

/** @typedef {import('../lib/types.js').Classification} Classification */
/** @typedef {import('../lib/types.js').Dataset} Dataset */

/**
 * @typedef {object} Place
 * @property {string | null} datasetId Whose model to ask; null for the newest live one.
 * @property {string | null} site Host of the page that the image is on; null where it is on none.
 */

/** Why the server could not get an image that this browser, with its cookies, may well get. */
const WORTH_A_TRY = new Set([
  'http-status',
  'blocked-address',
  'not-an-image',
  'connection',
  'dns',
]);

/** Classifies images by the paired server. */
export class Classifier {
  /**
   * @param {import('./session.js').Session} session The paired server.
   * @param {import('./session-image.js').SessionImages} images Fetches what the server can't.
   * @param {import('./kept-models.js').KeptModels} kept Answers while the server is away, or first.
   */
  constructor(session, images, kept) {
    this.session = session;
    this.images = images;
    this.kept = kept;
  }

  /**
   * Classify the image at an address.
   *
   * @param {string} url An http(s) or data: address.
   * @param {string | null} datasetId Whose model to ask; null for the newest live one.
   * @param {string | null} site Host of the page that the image is on; null where it is on none.
   * @returns {Promise<Classification>} The model's answer.
   * @throws {BowerbirdError} As `Session.call`; `too-large`.
   */
  async classifyAddress(url, datasetId, site = null) {
    const place = { datasetId, site };
    if (/^data:/i.test(url)) return this.#classifyBlob(await readData(url), place);
    if ((await this.kept.findFirst(datasetId)) !== null) {
      const blob = await this.fetchHere(url);
      if (blob !== null) return this.#classifyBlob(blob, place);
    }
    try {
      return await this.#ask(place, { json: { url } });
    } catch (error) {
      const isAway = (await this.kept.findAfter(datasetId, error)) !== null;
      if (!isAway && !isWorthATry(error)) throw error;
      const blob = await this.fetchHere(url);
      // The server's reason says more than our own failure does.
      if (blob === null) throw isAway ? notObtained() : error;
      return this.#classifyBlob(blob, place);
    }
  }

  /**
   * Fetch an image in the person's session. The person pointed at it, so it may also be one of their
   * own network.
   *
   * @param {string} url Its address.
   * @returns {Promise<Blob | null>} Its bytes; null when this browser can't have them either.
   */
  async fetchHere(url) {
    try {
      return (await this.images.fetch(url, { page: null, mayBePrivate: true })).blob;
    } catch (error) {
      if (error instanceof NotObtained) return null;
      throw error;
    }
  }

  /**
   * Classify the bytes of an image.
   *
   * @param {Blob} blob The image.
   * @param {Place} place Whom to ask.
   * @returns {Promise<Classification>} The model's answer.
   */
  async #classifyBlob(blob, place) {
    const { datasetId } = place;
    const first = await this.kept.findFirst(datasetId);
    if (first !== null) return this.kept.answer(first, blob);
    const form = new FormData();
    form.set('file', blob, 'image');
    try {
      return await this.#ask(place, { form });
    } catch (error) {
      const model = await this.kept.findAfter(datasetId, error);
      if (model === null) throw error;
      return this.kept.answer(model, blob);
    }
  }

  /**
   * Ask the server and add what a person wants to know of the model.
   *
   * @param {Place} place Whom to ask.
   * @param {{json: unknown} | {form: FormData}} body The image.
   * @returns {Promise<Classification>} The model's answer.
   */
  async #ask({ datasetId, site }, body) {
    const query = new URLSearchParams();
    if (datasetId !== null) query.set('dataset', datasetId);
    if (site !== null) query.set('site', site);
    const path = query.size > 0 ? `/classify?${query.toString()}` : '/classify';
    /** @type {Classification & {bundle_sha256?: string}} */
    const answer = await this.session.call({ method: 'POST', path, ...body });
    void this.kept.notice(answer);
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

/** @returns {BowerbirdError} For an image that neither the server nor this browser can get. */
function notObtained() {
  return new BowerbirdError('unexpected', text('imageNotHere'));
}

/**
 * Decide whether to fetch an image here after the server could not.
 *
 * @param {unknown} error The server's refusal.
 * @returns {boolean} True when this browser may do better.
 */
export function isWorthATry(error) {
  return (
    error instanceof ServerProblem &&
    error.slug === 'image-not-usable' &&
    WORTH_A_TRY.has(String(error.problem.members['reason']))
  );
}

/**
 * Read an image that is its own address.
 *
 * @param {string} url A data: address.
 * @returns {Promise<Blob>} Its bytes.
 * @throws {BowerbirdError} `too-large`.
 */
export async function readData(url) {
  const response = await fetch(url);
  try {
    const type = response.headers.get('Content-Type') ?? '';
    return new Blob(await readCapped(response), { type });
  } catch (error) {
    if (!(error instanceof TooLongError)) throw error;
    throw new BowerbirdError('too-large', text('imageTooLarge'));
  }
}
