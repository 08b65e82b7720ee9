/**
 * Cleaning: a dataset's images in the order in which a model doubts their labels, then "did it help?".
 */
import { Cleaner } from '../components/cleaner.js';
import { emptyState, errorCard } from '../components/notices.js';
import { retrainPanel } from '../components/retrain-panel.js';
import { Problem } from '../lib/api.js';
import { h, replace } from '../lib/dom.js';
import { timeElement } from '../lib/format.js';
import { labelNames } from '../lib/labels.js';
import { listModels, listSuspicions, MAX_PAGE, readDataset } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/types.js').Route} Route */

/** Images of one round: a few minutes' work. */
const ROUND = 60;

/** @type {[string, string][]} */
const SPLITS = [
  ['', 'Training and validation'],
  ['train', 'Training images'],
  ['valid', 'Validation images'],
];

/** The page and its present round. */
class CleanPage {
  #dataset;
  #model;
  #query;
  #signal;
  #end = new AbortController();
  #body = h('div', { class: 'view' });
  #filters = h('div', { class: 'row', role: 'group', 'aria-label': 'Which images' });
  /** @type {Cleaner | null} */
  #cleaner = null;

  /**
   * @param {Dataset} dataset What is cleaned.
   * @param {Model} model Whose doubts.
   * @param {URLSearchParams} query Label, split, and the training that was started from here.
   * @param {AbortSignal} signal Of the page.
   */
  constructor(dataset, model, query, signal) {
    this.#dataset = dataset;
    this.#model = model;
    this.#query = query;
    this.#signal = signal;
  }

  /** @returns {string} The model whose doubts are shown. */
  get modelId() {
    return this.#model.id;
  }

  /** @param {HTMLElement} root Where to show it. */
  async show(root) {
    const { id, name } = this.#dataset;
    const retrain = retrainPanel({
      model: this.#model,
      jobId: this.#query.get('job'),
      settle: () => this.#cleaner?.settled ?? Promise.resolve(),
      onStart: (job) => this.#go({ job }),
      signal: this.#signal,
    });
    replace(
      root,
      h(
        'header',
        { class: 'page-head' },
        h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', id) }, name)),
        h('h1', { tabindex: -1 }, `Clean ${name}`),
        h(
          'p',
          { class: 'muted' },
          'The most doubtful labels first, by heads that have not seen the image they judge. ',
          h('a', { href: hashFor('models', this.#model.id) }, 'Model'),
          ' trained ',
          timeElement(this.#model.created_at),
          '.',
        ),
      ),
      h('div', { class: 'stack' }, this.#filters, this.#body, retrain),
    );
    await this.filter(this.#query);
  }

  /** @param {URLSearchParams} query Which images from now on. */
  async filter(query) {
    const isSame =
      this.#cleaner !== null &&
      ['label', 'split'].every((name) => query.get(name) === this.#query.get(name));
    this.#query = query;
    if (isSame) return;
    this.#drawFilters();
    await this.#load();
  }

  async #load() {
    await this.#cleaner?.settled;
    this.#end.abort();
    this.#end = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#end.signal]);
    const [label, split] = [this.#query.get('label'), this.#query.get('split')];
    const wanted = { model: this.#model.id, label, split, reviewed: false, limit: ROUND };
    try {
      const page = await listSuspicions(this.#dataset.id, wanted, signal);
      if (page.total === 0) {
        this.#cleaner = null;
        replace(
          this.#body,
          emptyState('Nothing left to look at here', 'Choose other images, or retrain below.'),
        );
        return;
      }
      this.#cleaner = new Cleaner({
        items: page.items,
        total: page.total,
        labels: labelNames(this.#dataset),
        onNextRound: () => void this.#load(),
        signal,
      });
      replace(this.#body, this.#cleaner.node);
    } catch (error) {
      if (!signal.aborted) {
        replace(
          this.#body,
          errorCard(error, () => void this.#load()),
        );
      }
    }
  }

  #drawFilters() {
    const labels = labelNames(this.#dataset);
    const choices = /** @type {[string, string][]} */ ([
      ['', 'All labels'],
      ...labels.map((name) => [name, name]),
    ]);
    replace(
      this.#filters,
      this.#choice('Label', 'label', choices),
      this.#choice('Images', 'split', SPLITS),
    );
  }

  /**
   * @param {string} title Before it.
   * @param {string} name In the address.
   * @param {[string, string][]} choices Values and their words.
   * @returns {HTMLElement} A choice that goes into the address.
   */
  #choice(title, name, choices) {
    const now = this.#query.get(name) ?? '';
    const select = h(
      'select',
      {
        'data-testid': `clean-${name}`,
        onchange: () => {
          this.#go({ [name]: select.value });
          select.blur(); // The next key is meant for the image.
        },
      },
      ...choices.map(([value, text]) => h('option', { value, selected: value === now }, text)),
    );
    return h('label', { class: 'field inline' }, title, ' ', select);
  }

  /** @param {Record<string, string>} change Of the query. */
  #go(change) {
    const query = { model: this.#model.id, ...Object.fromEntries(this.#query), ...change };
    location.replace(hashFor('datasets/clean', this.#dataset.id, query));
  }
}

/**
 * @param {HTMLElement} root Where to show it.
 * @param {Dataset} dataset Without a model.
 */
function showUntrained(root, dataset) {
  replace(
    root,
    h('h1', { tabindex: -1 }, `Clean ${dataset.name}`),
    emptyState(
      'No model has been trained on this dataset yet',
      h('a', { href: hashFor('datasets', dataset.id) }, 'Train one first'),
    ),
  );
}

/**
 * @param {string} datasetId Which dataset.
 * @param {string | null} wanted The model's id; null for the newest.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<Model | null>} The model; null when there is none yet.
 */
async function findModel(datasetId, wanted, signal) {
  const { items } = await listModels({ dataset: datasetId, limit: MAX_PAGE }, signal);
  if (!wanted) return items[0] ?? null;
  const model = items.find((each) => each.id === wanted);
  if (model) return model;
  const detail = 'This dataset has no such model.';
  throw new Problem({ slug: 'model-not-found', title: detail, status: 404, detail, members: {} });
}

/**
 * Show the cleaner.
 * @param {import('../lib/types.js').PageContext} context Where, which, and until when.
 * @returns {Promise<import('../lib/types.js').PageHandle>} Follows the filters.
 */
export async function show({ root, route, signal }) {
  const dataset = await readDataset(route.id ?? '', signal);
  document.title = `Clean ${dataset.name} · Bowerbird`;
  /** @type {AbortController} */
  let end = new AbortController();
  /** @type {CleanPage | null} */
  let page = null;
  const open = async (/** @type {Route} */ now) => {
    const model = await findModel(dataset.id, now.query.get('model'), signal);
    if (model && page?.modelId === model.id) {
      await page.filter(now.query);
      return;
    }
    end.abort();
    end = new AbortController();
    if (!model) {
      showUntrained(root, dataset);
      return;
    }
    page = new CleanPage(dataset, model, now.query, AbortSignal.any([signal, end.signal]));
    await page.show(root);
  };
  await open(route);
  return {
    update: (now) => void open(now).catch((error) => replace(root, errorCard(error))),
  };
}
