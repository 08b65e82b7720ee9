/** The popup's Classify tab: an image in, the model's answer out. */
import { BowerbirdError, ServerProblem, messageOf } from '../lib/errors.js';
import { nameAnswer } from '../lib/label.js';
import { send } from '../lib/send.js';
import { formatNumber, text } from '../lib/text.js';
import { byId, make, makeLink, notify } from '../ui/dom.js';
import { Camera } from './camera.js';
import { readImageFile, takeImages } from './image-input.js';
import { VerdictView } from './verdict-view.js';

/** @typedef {import('../lib/types.js').Classification} Classification */
/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */

const SHOWN_COUNT = 5;
const NEWEST = '';

/** Runs the Classify tab. */
export class ClassifyView {
  /**
   * @param {() => Promise<void>} onPairingLost Told when the server refuses our token.
   * @param {(() => void) | null} moveOut Continues in a window of its own; null when this is one.
   */
  constructor(onPairingLost, moveOut) {
    this.onPairingLost = onPairingLost;
    this.server = '';
    this.view = byId('classify-view', HTMLElement);
    this.notice = byId('classify-notice', HTMLElement);
    this.model = byId('model', HTMLSelectElement);
    this.address = byId('address', HTMLInputElement);
    this.answer = byId('answer', HTMLElement);
    this.image = byId('answer-image', HTMLImageElement);
    this.verdict = new VerdictView(byId('verdict', HTMLElement));
    // A later question makes the answer to an earlier one stale.
    this.questionCount = 0;
    byId('address-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#classifyAddress(this.address.value.trim());
    });
    takeImages({
      view: this.view,
      dropZone: byId('drop-zone', HTMLElement),
      fileInput: byId('file', HTMLInputElement),
      onFile: (file) => void this.#classifyFile(file),
      onAddress: (url) => {
        this.address.value = url;
        void this.#classifyAddress(url);
      },
    });
    this.camera = new Camera({
      button: byId('camera', HTMLButtonElement),
      place: byId('camera-place', HTMLElement),
      onFile: (file) => void this.#classifyFile(file),
      onTrouble: (error) => {
        // What is said of it stays when the models are read.
        this.questionCount += 1;
        void this.#fail(error);
      },
      moveOut,
    });
  }

  /**
   * Offer the models.
   *
   * @param {ExtensionState} state What the background remembers.
   */
  async open(state) {
    this.server = state.server;
    this.verdict.server = state.server;
    try {
      const [models, { datasets }] = await Promise.all([
        send('list-live-models', null),
        send('list-datasets', null),
      ]);
      const live = new Set(models.map(({ dataset_id }) => dataset_id));
      const options = datasets
        .filter(({ id }) => live.has(id))
        .map(({ id, name }) => make('option', { value: id }, name));
      this.model.replaceChildren(
        make('option', { value: NEWEST }, text('modelNewest')),
        ...options,
      );
      byId('model-field', HTMLElement).hidden = options.length < 2;
      // A question that was asked meanwhile has its own words there.
      if (this.questionCount > 0) return;
      notify(this.notice, 'plain', ...(live.size === 0 ? this.#adviseTraining() : []));
    } catch (error) {
      await this.#fail(error);
    }
  }

  /**
   * Classify an image by its address.
   *
   * @param {string} url The address.
   */
  async #classifyAddress(url) {
    if (!/^(?:https?:\/\/|data:image\/)/i.test(url)) {
      notify(this.notice, 'bad', text('addressWrong'));
      return;
    }
    await this.#ask(url, async () => {
      const dataset_id = this.model.value || null;
      return { image: url, answer: await send('classify-address', { url, dataset_id }) };
    });
  }

  /**
   * Classify an image by its bytes.
   *
   * @param {File} file The image.
   */
  async #classifyFile(file) {
    const preview = URL.createObjectURL(file);
    await this.#ask(preview, async () => {
      const image = await readImageFile(file);
      const dataset_id = this.model.value || null;
      return { image, answer: await send('classify-upload', { data_url: image, dataset_id }) };
    });
    URL.revokeObjectURL(preview);
  }

  /**
   * Ask, and show the image with the answer.
   *
   * @param {string} preview Address to show the image by.
   * @param {() => Promise<{image: string, answer: Classification}>} run Asks; `image` is what
   *   feedback on the answer is about.
   */
  async #ask(preview, run) {
    this.questionCount += 1;
    const question = this.questionCount;
    this.answer.hidden = true;
    notify(this.notice, 'plain', make('span', { class: 'spinner' }), ` ${text('classifyBusy')}`);
    try {
      const { image, answer } = await run();
      if (question !== this.questionCount) return;
      notify(this.notice, 'plain');
      this.image.src = preview;
      // The preview may be revoked as soon as it has been drawn.
      await this.image.decode().catch(() => undefined);
      this.#show(answer);
      this.verdict.ask(image, answer);
    } catch (error) {
      if (question === this.questionCount) await this.#fail(error);
    }
  }

  /** @param {Classification} answer What the model says. */
  #show({ predictions, abstained, dataset_name, milliseconds, is_here = false }) {
    this.answer.dataset['abstained'] = String(abstained);
    byId('top-label', HTMLElement).textContent = nameAnswer({ predictions, abstained });
    byId('predictions', HTMLElement).replaceChildren(
      ...predictions.slice(0, SHOWN_COUNT).map(makeBar),
    );
    const duration = formatNumber(Math.max(1, Math.round(milliseconds)));
    byId('answer-model', HTMLElement).textContent = nameModel(dataset_name, duration, is_here);
    this.answer.hidden = false;
  }

  /** @returns {(Node | string)[]} What to do while there is no model. */
  #adviseTraining() {
    const datasets = makeLink(`${this.server}/#/datasets`, text('classifyTrain'));
    return [`${text('classifyNoModel')} `, datasets, '.'];
  }

  /**
   * Show an error, or go back to pairing when that is the trouble.
   *
   * @param {unknown} error What was thrown.
   */
  async #fail(error) {
    if (error instanceof BowerbirdError && error.kind === 'not-paired') return this.onPairingLost();
    const hasNoModel = error instanceof ServerProblem && error.slug === 'no-model';
    const content = hasNoModel ? this.#adviseTraining() : [messageOf(error)];
    notify(this.notice, hasNoModel ? 'warn' : 'bad', ...content);
  }
}

/**
 * Say which model answered, and where.
 *
 * @param {string | null} name Of its dataset.
 * @param {string} duration In ms.
 * @param {boolean} isHere Whether this browser ran it.
 * @returns {string} For the person.
 */
function nameModel(name, duration, isHere) {
  if (name === null) return text(isHere ? 'classifyHereSome' : 'classifyBySome', duration);
  return text(isHere ? 'classifyHere' : 'classifyBy', name, duration);
}

/**
 * Make the bar of one prediction.
 *
 * @param {{label: string, probability: number}} prediction A label with its probability, 0 to 1.
 * @returns {HTMLLIElement} Label, percent and bar.
 */
function makeBar({ label, probability }) {
  const percent = `${(probability * 100).toFixed(probability > 0.0995 ? 0 : 1)} %`;
  const fill = make('div', { class: 'fill' });
  fill.style.width = `${probability * 100}%`;
  return make(
    'li',
    { 'data-testid': 'prediction', 'data-label': label },
    make('span', {}, label),
    make('span', { class: 'percent' }, percent),
    make('div', { class: 'track', 'aria-hidden': 'true' }, fill),
  );
}
