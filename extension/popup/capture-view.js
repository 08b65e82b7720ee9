/** The popup's Capture tab: what the page holds, where it goes, and what became of it. */
import { BowerbirdError, ServerProblem, messageOf } from '../lib/errors.js';
import { passes } from '../lib/filters.js';
import { matchLabel, proposeLabel } from '../lib/label.js';
import { send } from '../lib/send.js';
import { byId, make, notify, plural, whileBusy } from '../ui/dom.js';
import { CandidateGrid } from './candidate-grid.js';
import { DatasetField } from './dataset-field.js';
import { FilterBar } from './filter-bar.js';
import { QueueView } from './queue-view.js';
import { describeCapture, describePage } from './wording.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {import('../lib/types.js').PageScan} PageScan */
/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */

/** Runs the Capture tab. */
export class CaptureView {
  /** @param {() => Promise<void>} onPairingLost Told when the server refuses our token. */
  constructor(onPairingLost) {
    this.onPairingLost = onPairingLost;
    /** @type {PageScan | null} */
    this.scan = null;
    /** @type {ExtensionState | null} */
    this.state = null;
    this.isLabelTyped = false;
    this.label = byId('label', HTMLInputElement);
    this.button = byId('capture', HTMLButtonElement);
    this.notice = byId('capture-notice', HTMLElement);
    this.pageNotice = byId('page-notice', HTMLElement);
    this.grid = new CandidateGrid(byId('candidates', HTMLElement), () => this.#showCount());
    this.filters = new FilterBar(() => this.#filter());
    this.field = new DatasetField(() => void this.#onDataset());
    this.queue = new QueueView(byId('queue', HTMLElement), () => this.#reloadDatasets());
    this.label.addEventListener('input', () => {
      this.isLabelTyped = this.label.value !== '';
    });
    this.#onChoose('choose-all', () => true);
    this.#onChoose('choose-none', () => false);
    this.#onChoose('choose-invert', (isChosen) => !isChosen);
    byId('capture-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void whileBusy(this.button, () => this.#capture()).then(() => this.#showCount());
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
    this.isLabelTyped = false;
    this.filters.show(state.filters);
    notify(this.notice, 'plain');
    byId('page-summary', HTMLElement).textContent = 'Reading the page…';
    await Promise.all([this.#readPage(tabId), this.#loadDatasets(), this.queue.refresh()]);
    await this.#onDataset();
    const last = state.last_capture;
    if (last !== null && this.notice.hidden) this.#showSent(last, 'plain');
  }

  /**
   * Scan the page and show what it holds.
   *
   * @param {number | null} tabId The browser tab to read.
   */
  async #readPage(tabId) {
    const summary = byId('page-summary', HTMLElement);
    try {
      if (tabId === null) {
        throw new BowerbirdError('page-not-readable', 'There is no page to read.');
      }
      this.scan = await send('scan-page', { tab_id: tabId });
      const { text, note } = describePage(this.scan);
      summary.textContent = text;
      notify(this.pageNotice, 'plain', ...(note === null ? [] : [note]));
      this.grid.show(this.scan.candidates);
    } catch (error) {
      this.scan = null;
      this.grid.show([]);
      summary.textContent = '';
      notify(this.pageNotice, 'warn', messageOf(error));
    }
    byId('choose-buttons', HTMLElement).hidden = this.grid.entries.length === 0;
    this.#filter();
  }

  /** Show what passes the filters, and how many do. */
  #filter() {
    const { filters } = this.filters;
    this.grid.filter((candidate) => passes(candidate, filters));
    this.filters.count(this.scan?.candidates ?? []);
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
      if (offline !== null) {
        notify(this.notice, 'warn', `${offline} Until it answers, captures are kept here.`);
      }
    } catch (error) {
      this.field.show([], null, true);
      await this.#fail(error);
    }
  }

  /** Load the datasets again, for their new counts and labels, without touching what is typed. */
  async #reloadDatasets() {
    await this.#loadDatasets(this.field.dataset?.id ?? null);
    await this.#onDataset();
  }

  /** Offer the dataset's labels, propose one, and mark what the dataset has. */
  async #onDataset() {
    const { dataset } = this.field;
    const labels = Object.keys(dataset?.counts.labels ?? {});
    byId('labels', HTMLElement).replaceChildren(
      ...labels.map((label) => make('option', { value: label })),
    );
    if (!this.isLabelTyped && this.state !== null) {
      this.label.value = proposeLabel({
        query: this.scan?.origin.query ?? null,
        labels,
        queryLabels: this.state.query_labels,
        lastLabel: dataset === null ? undefined : this.state.last_labels[dataset.id],
      });
    }
    await this.#markKnown(dataset);
  }

  /**
   * Mark what the dataset has.
   *
   * @param {Dataset | null} dataset The dataset; null for one that is to be made.
   */
  async #markKnown(dataset) {
    const urls = this.scan?.candidates.map(({ url }) => url) ?? [];
    if (dataset === null || urls.length === 0) return this.grid.markKnown([]);
    try {
      const known = await send('find-known', { dataset_id: dataset.id, urls });
      if (this.field.dataset?.id === dataset.id) this.grid.markKnown(known);
    } catch (error) {
      // The marks are a help, not a condition: capturing what is known adds nothing.
      if (error instanceof BowerbirdError && error.kind === 'not-paired') await this.#fail(error);
    }
  }

  /** Capture what is chosen. */
  async #capture() {
    if (this.scan === null) return;
    const { origin } = this.scan;
    const { chosen } = this.grid;
    notify(this.notice, 'plain', make('span', { class: 'spinner' }), ' Capturing…');
    try {
      const dataset = this.field.dataset ?? (await this.#createDataset());
      const labels = Object.keys(dataset.counts.labels);
      const typed = this.label.value.trim();
      const outcome = await send('capture', {
        dataset: { id: dataset.id, name: dataset.name },
        label: matchLabel(typed, labels) ?? typed,
        origin,
        candidates: chosen,
      });
      if (outcome.state === 'sent') {
        this.grid.forgetChoice();
        await this.#reloadDatasets();
        this.#showSent(outcome.capture, 'good');
      } else {
        notify(this.notice, 'warn', outcome.error);
      }
      await this.queue.refresh();
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** @returns {Promise<Dataset>} The dataset of the typed name, made if new. */
  async #createDataset() {
    const dataset = await send('create-dataset', { name: this.field.newName });
    await send('choose-dataset', { dataset_id: dataset.id });
    await this.#loadDatasets(dataset.id);
    return dataset;
  }

  /**
   * Say what a capture did, and offer to undo it.
   *
   * @param {import('../lib/types.js').SentCapture} capture The capture.
   * @param {'good' | 'plain'} tone Whether it was made just now.
   */
  #showSent(capture, tone) {
    const undo = make('button', { type: 'button', class: 'quiet' }, 'Undo');
    undo.dataset['testid'] = 'undo';
    undo.addEventListener('click', () => void whileBusy(undo, () => this.#undo()));
    const server = this.state?.server ?? '';
    notify(this.notice, tone, ...describeCapture(capture, server, tone === 'good'), ' ', undo);
  }

  /** Take the last capture back. */
  async #undo() {
    try {
      const { added, dataset_name } = await send('undo-capture', null);
      this.grid.forgetChoice();
      await this.#reloadDatasets();
      const what = plural(added, 'image');
      notify(this.notice, 'plain', `Undone: ${what} taken out of ${dataset_name}.`);
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** Show how many are chosen. */
  #showCount() {
    const count = this.grid.chosen.length;
    this.button.textContent = count === 0 ? 'Capture' : `Capture ${plural(count, 'image')}`;
    this.button.disabled = count === 0;
  }

  /**
   * Choose many at once.
   *
   * @param {string} id Id of the button.
   * @param {(isChosen: boolean) => boolean} decide New choice from the present one.
   */
  #onChoose(id, decide) {
    byId(id, HTMLButtonElement).addEventListener('click', () => this.grid.choose(decide));
  }

  /**
   * Show an error, or go back to pairing when that is the trouble.
   *
   * @param {unknown} error What was thrown.
   */
  async #fail(error) {
    if (error instanceof BowerbirdError && error.kind === 'not-paired') return this.onPairingLost();
    const isRefusal = error instanceof ServerProblem;
    notify(
      this.notice,
      'bad',
      isRefusal ? `The server refused: ${error.message}` : messageOf(error),
    );
  }
}
