/** Tells the server what a person says of an answer, with the picture where it can be had. */
import { isWorthATry, readData } from './classify.js';

/** @typedef {import('../lib/types.js').Verdict} Verdict */

/** Sends feedback to the paired server. */
export class FeedbackSender {
  /**
   * @param {import('./session.js').Session} session The paired server.
   * @param {import('./classify.js').Classifier} classifier Fetches what the server can't.
   */
  constructor(session, classifier) {
    this.session = session;
    this.classifier = classifier;
  }

  /**
   * Say what an answer was worth. The picture goes along as it was asked about: its bytes, or its
   * address, and where the server can't get that, what this browser gets. Where nobody gets it any
   * more, its hash goes alone: the server counts what is said and keeps no picture.
   *
   * @param {string} image An http(s) or data: address.
   * @param {Verdict} verdict What is said.
   * @throws {import('../lib/errors.js').BowerbirdError} As `Session.call`; `too-large`.
   */
  async send(image, verdict) {
    if (/^data:/i.test(image)) return this.#post(verdict, { file: await readData(image) });
    try {
      await this.#post(verdict, { url: image });
    } catch (error) {
      if (!isWorthATry(error)) throw error;
      const file = await this.classifier.fetchHere(image);
      await this.#post(verdict, file === null ? { sha256: verdict.sha256 } : { file });
    }
  }

  /**
   * @param {Verdict} verdict What is said.
   * @param {{file: Blob} | {url: string} | {sha256: string}} picture Of what.
   */
  async #post({ model_id, is_right, predicted, label }, picture) {
    const form = new FormData();
    form.set('model_id', model_id);
    form.set('is_right', String(is_right));
    if (predicted !== null) form.set('predicted', predicted);
    if (label !== null) form.set('label', label);
    if ('file' in picture) form.set('file', picture.file, 'image');
    else if ('url' in picture) form.set('url', picture.url);
    else form.set('sha256', picture.sha256);
    await this.session.call({ method: 'POST', path: '/feedback', form });
  }
}
