/**
 * Asks a server what the live model of a dataset says of images that pages show. The server fetches
 * and classifies them: this costs it, and the sites, more than any other question of a page does.
 */
import { ServerProblem } from '../lib/errors.js';
import { memberOf, refusal, toWebUrls } from './page-requests.js';
import { chooseLabel } from './proposal.js';

/** @typedef {import('../lib/page-messages.js').Asking} Asking */
/** @typedef {import('../lib/page-messages.js').OpinionAt} OpinionAt */
/** @typedef {import('../lib/page-messages.js').OpinionsReply} OpinionsReply */
/** @typedef {import('../lib/page-messages.js').PageOpinions} PageOpinions */
/** @typedef {import('../lib/types.js').Settings} Settings */
/** @typedef {{answers: {answer: {label: string, probability: number, abstained: boolean} | null}[]}} Batch */

/** In one question. The server fetches four at a time, and answers before our patience is over. */
export const MAX_ASKED_AT_ONCE = 8;
/** Questions on their way from all pages: a person looks at one, and others wait for their turn. */
const MAX_QUESTIONS = 3;
/** Of a server that says that it is busy, and not for how long. */
const PAUSE_S = 5;
const UNAVAILABLE = 503;
const TOO_MANY = 429;

/** Asks, a few questions at a time, whatever the pages want. */
export class Opinions {
  /**
   * @param {object} parts What it works with.
   * @param {Pick<import('./session.js').Session, 'call'>} parts.session The paired servers.
   * @param {Pick<import('./settings.js').SettingsStore, 'read'>} parts.settings What is remembered.
   */
  constructor({ session, settings }) {
    this.session = session;
    this.settings = settings;
    this.questionCount = 0;
  }

  /**
   * Find out what a page asks the model for.
   *
   * @param {Settings} settings What is remembered.
   * @param {string | null} query What was searched for there.
   * @returns {Promise<Asking | null>} Nothing unless the person turned that on, or without a dataset.
   */
  async findAsking(settings, query) {
    const { server, dataset_id, is_model_asked, pairing, datasets } = settings;
    if (!is_model_asked || pairing === null || dataset_id === null) return null;
    const dataset = datasets.find(({ id }) => id === dataset_id);
    const labels = Object.keys(dataset?.counts.labels ?? {});
    return {
      subject: await nameSubject({ server, dataset_id }),
      label: chooseLabel(settings, { id: dataset_id, labels }, query),
    };
  }

  /**
   * Tell whether opinions are of a dataset's model.
   *
   * @param {PageOpinions | null} opinions What a page has.
   * @param {string} datasetId A dataset of the active server.
   * @returns {Promise<boolean>} False for none at all.
   */
  async areOf(opinions, datasetId) {
    if (opinions === null) return false;
    const { server } = await this.settings.read();
    return opinions.subject === (await nameSubject({ server, dataset_id: datasetId }));
  }

  /**
   * Ask what the live model of the chosen dataset says of images, as far as the person wants that.
   *
   * @param {unknown} request What a page asked for.
   * @param {string | null} site The page's host, as the browser says.
   * @returns {Promise<OpinionsReply>} What came of it.
   * @throws {import('../lib/errors.js').BowerbirdError} For what our own script would not ask; as `#ask`.
   */
  async answer(request, site) {
    const urls = toWebUrls(memberOf(request, 'urls'), MAX_ASKED_AT_ONCE);
    const { server, dataset_id, is_model_asked } = await this.settings.read();
    if (dataset_id === null || !is_model_asked) throw refusal();
    const place = { server, dataset_id };
    // Of another dataset than the page believes: it is told of the change, and asks again.
    if (memberOf(request, 'subject') !== (await nameSubject(place))) throw refusal();
    return this.#ask(place, urls, site);
  }

  /**
   * Ask what a dataset's live model says.
   *
   * @param {{server: string, dataset_id: string}} place Where the dataset is, and which.
   * @param {string[]} urls Addresses of the images, from 1 to `MAX_ASKED_AT_ONCE`.
   * @param {string | null} site Host of the page that they are on.
   * @returns {Promise<OpinionsReply>} Its opinions of those that it could look at; or that the server
   *   is busy, or that no model is live.
   * @throws {import('../lib/errors.js').BowerbirdError} As `Session.call`, for any other trouble.
   */
  async #ask({ server, dataset_id }, urls, site) {
    if (this.questionCount >= MAX_QUESTIONS) return { state: 'busy', retry_after_s: 1 };
    this.questionCount += 1;
    try {
      const query = new URLSearchParams({ dataset: dataset_id, top: '1' });
      if (site !== null) query.set('site', site);
      const path = `/classify?${query.toString()}`;
      const json = { images: urls.map((url) => ({ url })) };
      /** @type {Batch} */
      const { answers } = await this.session.call({ method: 'POST', path, json }, server);
      return { state: 'answered', opinions: toOpinions(answers) };
    } catch (error) {
      return explain(error);
    } finally {
      this.questionCount -= 1;
    }
  }
}

/**
 * Name a dataset so that a page's script can tell it from others and knows nothing else of it.
 *
 * @param {{server: string, dataset_id: string}} place Where the dataset is, and which.
 * @returns {Promise<string>} 16 hexadecimal digits.
 */
export async function nameSubject({ server, dataset_id }) {
  const bytes = new TextEncoder().encode(`${server} ${dataset_id}`);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Leave out what pages have no use for.
 *
 * @param {Batch['answers']} answers As the server sends them, in the order of the addresses.
 * @returns {OpinionAt[]} Those of images that could be classified.
 */
function toOpinions(answers) {
  return answers.flatMap(({ answer }, index) => {
    if (answer === null) return [];
    const { label, probability, abstained } = answer;
    return [{ index, label, probability, is_abstained: abstained }];
  });
}

/**
 * Tell what passes from what does not.
 *
 * @param {unknown} error What was thrown.
 * @returns {OpinionsReply} What the page is to do about it.
 */
function explain(error) {
  if (!(error instanceof ServerProblem)) throw error;
  if (error.slug === 'no-model') return { state: 'no-model' };
  if (error.status !== UNAVAILABLE && error.status !== TOO_MANY) throw error;
  return { state: 'busy', retry_after_s: error.problem.retry_after_s ?? PAUSE_S };
}
