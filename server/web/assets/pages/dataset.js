/**
 * A dataset: live counts, filters in the address, its images, what was rejected, captures, training.
 */
import { alikeView } from '../components/alike.js';
import { capturesView } from '../components/captures.js';
import { datasetHead, labelBar, readFilter, viewTabs } from '../components/dataset-header.js';
import { confirmDialog, datasetDialog } from '../components/dialogs.js';
import { driftAlert } from '../components/drift-panel.js';
import { filterBar } from '../components/filter-bar.js';
import { imageView } from '../components/image-view.js';
import { Labelling } from '../components/labelling.js';
import { toast } from '../components/notices.js';
import { refreshCard } from '../components/refresh-card.js';
import { rejectedView } from '../components/rejected.js';
import { trainPanel } from '../components/train-panel.js';
import { trainingList } from '../components/training-list.js';
import { uploadPanel } from '../components/upload-panel.js';
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { plural } from '../lib/format.js';
import { commandFor, listenToKeys } from '../lib/keymap.js';
import { labelNames } from '../lib/labels.js';
import { sleep, watchDataset } from '../lib/live.js';
import { changeDataset, deleteDataset, readDataset } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {{node: HTMLElement, refresh: () => void}} View */

/** Counts change many times a second while images arrive; the list is asked for at most this often. */
const REFRESH_MS = 1_000;

/** The page and what it follows. */
class DatasetPage {
  #dataset;
  #query;
  #signal;
  #head;
  #train;
  #labelling;
  #filters;
  #bar = h('div', { class: 'stack tight' });
  #body = h('div', { class: 'view' });
  /** @type {AbortController} */
  #viewEnd = new AbortController();
  /** @type {View | null} */
  #view = null;
  #isRefreshing = false;

  /**
   * @param {Dataset} dataset As it is now.
   * @param {URLSearchParams} query The filters.
   * @param {AbortSignal} signal Of the page.
   */
  constructor(dataset, query, signal) {
    this.#dataset = dataset;
    this.#query = query;
    this.#signal = signal;
    this.#head = datasetHead(dataset, {
      onRename: () => void this.#run(() => this.#rename()),
      onDelete: () => void this.#run(() => this.#delete()),
    });
    this.#train = trainPanel(dataset);
    this.#labelling = new Labelling(dataset.id, labelNames(dataset));
    this.#filters = filterBar({ datasetId: dataset.id, query, signal });
  }

  /** @param {HTMLElement} root Where to show it. */
  show(root) {
    const signal = this.#signal;
    const upload = uploadPanel({
      dataset: () => this.#dataset,
      signal,
      onDone: () => this.#view?.refresh(),
    });
    const side = h(
      'aside',
      { class: 'stack' },
      driftAlert(this.#dataset.id, signal),
      this.#train.node,
      trainingList(this.#dataset.id, signal),
      refreshCard(this.#dataset.id, signal),
      upload,
    );
    const main = h('div', { class: 'stack tight' }, this.#bar, this.#filters.node, this.#body);
    replace(root, this.#head.node, h('div', { class: 'columns side-first' }, main, side));
    this.filter(this.#query);
    const onDeleted = () => {
      toast('This dataset has been deleted.');
      location.hash = hashFor('home');
    };
    const listener = { onChange: (/** @type {Dataset} */ now) => this.#update(now), onDeleted };
    watchDataset(this.#dataset.id, listener, signal);
  }

  /** @param {URLSearchParams} query The filters from now on. */
  filter(query) {
    this.#query = query;
    this.#drawBar();
    this.#viewEnd.abort();
    this.#viewEnd = new AbortController();
    this.#filters.update(query);
    this.#view = this.#viewFor(query, AbortSignal.any([this.#signal, this.#viewEnd.signal]));
    replace(this.#body, this.#view.node);
  }

  /**
   * @param {URLSearchParams} query The filters.
   * @param {AbortSignal} signal Of this view.
   * @returns {View} What the filters ask for.
   */
  #viewFor(query, signal) {
    const { view, label } = readFilter(query);
    const datasetId = this.#dataset.id;
    const labels = labelNames(this.#dataset);
    this.#filters.node.hidden = ['alike', 'captures', 'rejected'].includes(view);
    if (this.#filters.node.hidden) this.#listenToUndo(signal);
    if (view === 'alike') return alikeView({ datasetId, labelling: this.#labelling, signal });
    if (view === 'captures') return capturesView({ datasetId, labels, signal });
    if (view === 'rejected') return rejectedView({ datasetId, label, signal });
    return imageView({
      datasetId,
      query,
      status: view,
      labelling: this.#labelling,
      onSearch: () => this.#filters.focusSearch(),
      signal,
    });
  }

  /** @param {AbortSignal} signal Of a view without a grid: of all keys only undo and redo mean something there. */
  #listenToUndo(signal) {
    listenToKeys((event) => {
      const command = commandFor(event, this.#labelling.keys);
      return command !== null && this.#labelling.run(command, []) !== null;
    }, signal);
  }

  #drawBar() {
    // Keep the keyboard's place in the bar, which is built anew with the counts.
    const links = [...this.#bar.querySelectorAll('a')];
    const at = links.findIndex((link) => link === document.activeElement);
    replace(this.#bar, viewTabs(this.#dataset, this.#query), labelBar(this.#dataset, this.#query));
    if (at >= 0) this.#bar.querySelectorAll('a')[at]?.focus();
  }

  /** @param {Dataset} now With new counts. */
  #update(now) {
    const hasChanged = JSON.stringify(now.counts) !== JSON.stringify(this.#dataset.counts);
    const hasNewLabel = labelNames(now).join('\n') !== labelNames(this.#dataset).join('\n');
    this.#dataset = now;
    this.#head.update(now);
    this.#train.update(now);
    if (!hasChanged) return;
    // Another label shifts the colours: everything that shows labels is built anew.
    if (hasNewLabel) {
      this.#labelling.setLabels(labelNames(now));
      this.filter(this.#query);
    } else {
      this.#drawBar();
      void this.#refreshSoon();
    }
  }

  async #refreshSoon() {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    await sleep(REFRESH_MS, this.#signal);
    this.#isRefreshing = false;
    if (!this.#signal.aborted) this.#view?.refresh();
  }

  /** @param {() => Promise<void>} action Of a button without a place for messages. */
  async #run(action) {
    try {
      await action();
    } catch (error) {
      toast(explainError(error));
    }
  }

  async #rename() {
    const { name, description } = this.#dataset;
    const fields = { title: 'Rename dataset', name, description: description ?? '' };
    const change = await datasetDialog(fields, this.#signal);
    if (!change) return;
    this.#update(await changeDataset(this.#dataset.id, change));
    document.title = `${change.name} · Bowerbird`;
  }

  async #delete() {
    const { name, id, counts } = this.#dataset;
    const question = {
      title: `Delete ${name}?`,
      text: `Its ${plural(counts.total, 'image')}, captures, snapshots and models go with it. This cannot be undone.`,
      yes: 'Delete dataset',
      isDangerous: true,
    };
    if (!(await confirmDialog(question, this.#signal))) return;
    await deleteDataset(id);
    toast(`Deleted ${name}.`);
    location.hash = hashFor('home');
  }
}

/**
 * Show a dataset.
 * @param {import('../lib/types.js').PageContext} context Where, which, and until when.
 * @returns {Promise<import('../lib/types.js').PageHandle>} Follows the filters.
 */
export async function show({ root, route, signal }) {
  const dataset = await readDataset(route.id ?? '', signal);
  document.title = `${dataset.name} · Bowerbird`;
  const page = new DatasetPage(dataset, route.query, signal);
  page.show(root);
  return { update: (now) => page.filter(now.query) };
}
