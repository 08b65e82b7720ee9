/** The popup's Capture tab: what the page holds, where it goes, and what became of it. */
import { BowerbirdError, ServerProblem, messageOf } from '../lib/errors.js';
import { matchLabel, proposeLabel } from '../lib/label.js';
import { send } from '../lib/send.js';
import { formatNumber, text, textCount } from '../lib/text.js';
import { byId, make, notify, whileBusy } from '../ui/dom.js';
import { BrowserFetchView } from './browser-fetch-view.js';
import { DatasetField } from './dataset-field.js';
import { DoubtView } from './doubt-view.js';
import { LabelField } from './label-field.js';
import { PageView } from './page-view.js';
import { QueueView } from './queue-view.js';
import { ScrollView } from './scroll-view.js';
import { describeCapture } from './wording.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */
/** @typedef {import('../lib/types.js').SentCapture} SentCapture */

/** Runs the Capture tab. */
export class CaptureView {
  /** @param {() => Promise<void>} onPairingLost Told when the server refuses our token. */
  constructor(onPairingLost) {
    this.onPairingLost = onPairingLost;
    /** @type {ExtensionState | null} */
    this.state = null;
    /** @type {string | null} Why the server could not be asked, when it was asked last. */
    this.offline = null;
    this.button = byId('capture', HTMLButtonElement);
    this.notice = byId('capture-notice', HTMLElement);
    this.lastNotice = byId('last-capture', HTMLElement);
    this.page = new PageView({
      onChoice: () => this.#showCount(),
      onRead: () => void this.#onDataset(),
    });
    this.label = new LabelField();
    this.field = new DatasetField(() => void this.#onDataset());
    this.doubts = new DoubtView({
      grid: this.page.grid,
      readTarget: () => ({ datasetId: this.field.dataset?.id ?? null, label: this.label.value }),
    });
    this.label.input.addEventListener('input', () => this.doubts.show());
    this.browserFetch = new BrowserFetchView(byId('browser-fetch-view', HTMLElement));
    this.queue = new QueueView(byId('queue', HTMLElement), () => this.#reload());
    this.scroll = new ScrollView({
      chooseTarget: () => this.#chooseTarget(),
      onStarted: () => this.#say('plain'),
      onCaptured: () => this.#onScrolled(),
      onError: (error) => this.#fail(error),
    });
    byId('capture-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void whileBusy(this.button, () => this.#capture()).then(() => {
        this.#showCount();
        this.#keepFocus();
      });
    });
  }

  /**
   * Read the page and offer what it holds.
   *
   * @param {ExtensionState} state What the background remembers.
   * @param {number | null} tabId The browser tab to read.
   */
  async open(state, tabId) {
    this.state = state;
    this.label.isTyped = false;
    this.page.filters.show(state.filters);
    this.#say('plain');
    this.#showCount();
    const scrolling = this.scroll.open(tabId);
    await Promise.all([this.page.read(tabId), this.#loadAll()]);
    await Promise.all([this.#onDataset(), scrolling]);
    await this.doubts.open(tabId);
  }

  /** Offer the datasets, and show what waits: one trouble is said once. */
  async #loadAll() {
    await Promise.all([this.#loadDatasets(), this.queue.refresh()]);
    if (this.offline !== null) await this.queue.refresh(this.offline);
  }

  /**
   * Offer the server's datasets.
   *
   * @param {string | null} chosenId Which to choose; null for the one last used.
   */
  async #loadDatasets(chosenId = null) {
    try {
      const { datasets, offline } = await send('list-datasets', null);
      this.field.show(datasets, chosenId ?? this.state?.dataset_id ?? null, offline === null);
      if (offline !== null) this.#say('warn', text('captureOffline', offline));
      else if (this.offline !== null) this.#say('plain');
      this.offline = offline;
    } catch (error) {
      this.field.show([], null, true);
      await this.#fail(error);
    }
    this.#showCount();
  }

  /** Offer what scrolling has brought, and to undo its capture. */
  async #onScrolled() {
    await this.page.read(this.scroll.tabId);
    await this.#reload();
    if (this.offline === null) this.#say('plain');
    await this.queue.refresh(this.offline);
  }

  /** Load again what a capture changes, without touching what is typed. */
  async #reload() {
    this.state = await send('read-state', null);
    await this.#loadDatasets(this.field.dataset?.id ?? null);
    await this.#onDataset();
  }

  /** Offer the dataset's labels, propose one, and mark what the dataset has. */
  async #onDataset() {
    const { dataset } = this.field;
    this.label.offer(dataset?.counts.labels ?? {});
    if (this.state !== null) {
      const proposed = proposeLabel({
        query: this.page.scan?.origin.query ?? null,
        labels: this.label.names,
        queryLabels: this.state.query_labels,
        lastLabel: dataset === null ? undefined : this.state.last_labels[dataset.id],
      });
      this.label.propose(proposed);
    }
    await Promise.all([this.#markKnown(dataset), this.browserFetch.open(dataset?.id ?? null)]);
    await this.doubts.look();
  }

  /**
   * Mark what the dataset has.
   *
   * @param {Dataset | null} dataset The dataset; null for one that is to be made.
   */
  async #markKnown(dataset) {
    const { grid, scan } = this.page;
    const urls = scan?.candidates.map(({ url }) => url) ?? [];
    if (dataset === null || urls.length === 0) return grid.markKnown([]);
    try {
      const known = await send('find-known', { dataset_id: dataset.id, urls });
      if (this.field.dataset?.id === dataset.id) grid.markKnown(known);
    } catch (error) {
      // The marks are a help, not a condition: capturing what is known adds nothing.
      if (error instanceof BowerbirdError && error.kind === 'not-paired') await this.#fail(error);
    }
  }

  /** Capture what is chosen. */
  async #capture() {
    const { scan, grid } = this.page;
    if (scan === null) return;
    const { chosen } = grid;
    this.#say('plain', make('span', { class: 'spinner' }), ` ${text('captureBusy')}`);
    try {
      const target = await this.#makeTarget();
      const outcome = await send('capture', {
        ...target,
        origin: scan.origin,
        candidates: chosen,
      });
      if (outcome.state === 'sent') {
        grid.forgetChoice();
        await this.#reload();
        this.#showSent(outcome.capture);
      } else {
        // The queue has it: a second click is not to capture it once more.
        grid.choose(() => false);
        this.offline = outcome.error;
        this.#say('warn', outcome.error);
      }
      await this.queue.refresh(outcome.state === 'sent' ? null : outcome.error);
    } catch (error) {
      await this.#fail(error);
    }
  }

  /**
   * Say where images go, as long as the form says it.
   *
   * @returns {Promise<import('./scroll-view.js').Target | null>} The dataset, made if new, and the label.
   */
  async #chooseTarget() {
    return byId('capture-form', HTMLFormElement).reportValidity() ? this.#makeTarget() : null;
  }

  /** @returns {Promise<import('./scroll-view.js').Target>} The dataset, made if new, and the label. */
  async #makeTarget() {
    const dataset = this.field.dataset ?? (await this.#createDataset());
    const label = matchLabel(this.label.value, Object.keys(dataset.counts.labels));
    return { dataset: { id: dataset.id, name: dataset.name }, label: label ?? this.label.value };
  }

  /** @returns {Promise<Dataset>} The dataset of the typed name, made if new. */
  async #createDataset() {
    const dataset = await send('create-dataset', { name: this.field.newName });
    await send('choose-dataset', { dataset_id: dataset.id });
    await this.#loadDatasets(dataset.id);
    return dataset;
  }

  /** @param {SentCapture} capture What was captured just now. */
  #showSent(capture) {
    const server = this.state?.server ?? '';
    const line = make('div', { class: 'queue-head' });
    line.append(make('span', {}, ...describeCapture(capture, server, true)));
    this.#say('good', line);
    // It is the last one: the offer to undo it belongs to the same sentence.
    if (this.state?.last_capture?.capture_key !== capture.capture_key) return;
    notify(this.lastNotice, 'plain');
    line.append(this.#makeUndo(capture));
  }

  /**
   * Say something above the button, and below it what undo takes back.
   *
   * @param {'good' | 'warn' | 'bad' | 'plain'} tone How it is meant.
   * @param {...(Node | string)} content What to say; nothing says nothing.
   */
  #say(tone, ...content) {
    notify(this.notice, tone, ...content);
    const last = this.state?.last_capture ?? null;
    if (last === null) return notify(this.lastNotice, 'plain');
    const words = make('span', {}, ...describeCapture(last, this.state?.server ?? '', false));
    words.title = words.textContent ?? '';
    notify(this.lastNotice, 'plain', words, this.#makeUndo(last));
  }

  /**
   * Make the button that takes a capture back.
   *
   * @param {SentCapture} capture Which capture.
   * @returns {HTMLButtonElement} The button.
   */
  #makeUndo(capture) {
    const { added, label, dataset_name } = capture;
    const title = text('captureUndoTitle', formatNumber(added), label, dataset_name);
    const undo = make('button', { type: 'button', class: 'quiet', title }, text('captureUndo'));
    undo.dataset['testid'] = 'undo';
    undo.addEventListener('click', () => {
      void whileBusy(undo, () => this.#undo(capture)).then(() => this.#keepFocus());
    });
    return undo;
  }

  /** @param {SentCapture} capture What to take back. */
  async #undo({ capture_key }) {
    try {
      const { added, dataset_name } = await send('undo-capture', { capture_key });
      this.page.grid.forgetChoice();
      await this.#reload();
      this.#say('plain', textCount('captureUndone', added, dataset_name));
      await this.queue.refresh();
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** Give the keyboard a place again, where the control that had it is gone or disabled. */
  #keepFocus() {
    if (document.activeElement !== document.body) return;
    if (!this.button.disabled) return this.button.focus();
    (this.notice.querySelector('button') ?? this.field.select).focus();
  }

  /** Show how many are chosen; they can be captured once there is something to put them into. */
  #showCount() {
    const count = this.page.grid.chosen.length;
    this.button.textContent = count === 0 ? text('captureNone') : textCount('captureSome', count);
    const isBusy = this.button.hasAttribute('aria-busy');
    this.button.disabled = count === 0 || !this.field.isOffered || isBusy;
  }

  /**
   * Show an error, or go back to pairing when that is the trouble.
   *
   * @param {unknown} error What was thrown.
   */
  async #fail(error) {
    if (error instanceof BowerbirdError && error.kind === 'not-paired') return this.onPairingLost();
    const message = messageOf(error);
    this.#say('bad', error instanceof ServerProblem ? text('serverRefused', message) : message);
  }
}
