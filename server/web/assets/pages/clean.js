/**
 * Cleaning: a dataset's images in the order in which a model doubts their labels, then "did it help?".
 */
import { Cleaner } from '../components/cleaner.js';
import { Labelling } from '../components/labelling.js';
import { emptyState, errorCard, showFailure, toast } from '../components/notices.js';
import { retrainPanel } from '../components/retrain-panel.js';
import { Problem } from '../lib/api.js';
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { plural, timeElement } from '../lib/format.js';
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
  #message = h('p', {
    class: 'message is-error',
    role: 'alert',
    'data-testid': 'clean-message',
  });
  #labelling;
  #isShown = false;

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
    this.#labelling = new Labelling(dataset.id, labelNames(dataset), {
      // Each answer is seen; said is only what came otherwise.
      onSaid: (text, canUndo) => {
        replace(this.#message);
        if (!canUndo) toast(text);
      },
      onError: (error) => replace(this.#message, `${explainError(error)} Nothing was changed.`),
    });
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
      settle: () => this.#labelling.actions.settled,
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
      this.#isShown &&
      ['label', 'split'].every((name) => query.get(name) === this.#query.get(name));
    this.#query = query;
    if (isSame) return;
    this.#isShown = true;
    this.#drawFilters();
    await this.#load();
  }

  /** @param {string[]} [wanted] Images to begin with, such as those that were just changed back. */
  async #load(wanted = []) {
    await this.#labelling.actions.settled;
    this.#end.abort();
    this.#end = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#end.signal]);
    try {
      await this.#refreshLabels(signal);
      const page = await listSuspicions(this.#dataset.id, this.#wanted(), signal);
      const cleaner = new Cleaner({
        items: page.items,
        list: { left: page.total, judged: page.judged_count },
        labelling: this.#labelling,
        message: this.#message,
        onNextRound: () => void this.#load(),
        onElsewhere: (ids) => void this.#load(ids),
        onSearch: () => this.#filters.querySelector('select')?.focus(),
        signal,
      });
      replace(this.#body, cleaner.node);
      if (wanted.length > 0 && !cleaner.show(wanted)) this.#tellElsewhere(wanted);
    } catch (error) {
      showFailure(this.#body, error, signal, () => void this.#load());
    }
  }

  /** @returns {Record<string, string | number | boolean | null>} Which images the server is asked for. */
  #wanted() {
    const [label, split] = [this.#query.get('label'), this.#query.get('split')];
    return { model: this.#model.id, label, split, reviewed: false, limit: ROUND };
  }

  /** @param {string[]} ids Images that were changed back, and are not among those that are shown. */
  #tellElsewhere(ids) {
    const [first] = ids;
    const what =
      ids.length === 1 ? 'That was an image' : `Those were ${plural(ids.length, 'image')}`;
    const link = h('a', { href: hashFor('images', first ?? null) }, 'see it');
    replace(this.#message, `${what} that these choices do not show. `, ids.length === 1 && link);
  }

  /** @param {AbortSignal} signal Of the round: labels may have been added since the one before. */
  async #refreshLabels(signal) {
    this.#dataset = await readDataset(this.#dataset.id, signal);
    const names = labelNames(this.#dataset);
    if (names.join('\n') === this.#labelling.labels.join('\n')) return;
    this.#labelling.setLabels(names);
    this.#drawFilters();
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
