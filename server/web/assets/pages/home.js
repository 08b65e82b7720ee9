/**
 * Home: what to do next, the datasets, the paired browsers, the trainer.
 */
import { datasetCard } from '../components/dataset-card.js';
import { getStarted, stepStates } from '../components/get-started.js';
import { machineCard } from '../components/machine-card.js';
import { newDatasetForm } from '../components/new-dataset.js';
import { emptyState } from '../components/notices.js';
import { h, replace } from '../lib/dom.js';
import { poll } from '../lib/live.js';
import { listDatasets, listModels, listTokens, readDisk, readServer } from '../lib/resources.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {import('../lib/types.js').Token} Token */

/** @typedef {{server: import('../lib/types.js').Server, datasets: Dataset[], tokens: Token[], models: import('../lib/types.js').Model[], disk: import('../lib/types.js').Disk}} PageData */

/** Counts of all datasets, for somebody who watches them fill. */
const REFRESH_MS = 5_000;

/**
 * @param {AbortSignal} signal Stops the requests.
 * @returns {Promise<PageData>} All that the page shows.
 */
async function readAll(signal) {
  const [server, datasets, tokens, models, disk] = await Promise.all([
    readServer(signal),
    listDatasets(signal),
    listTokens(signal),
    listModels({ limit: 500 }, signal),
    readDisk(signal),
  ]);
  return { server, datasets: datasets.items, tokens: tokens.items, models: models.items, disk };
}

/**
 * @param {PageData} data What there is.
 * @param {{signal: AbortSignal, onPaired: () => void}} options Of the page.
 * @returns {HTMLElement} The steps; folded once all of them have been done.
 */
function stepsCard({ server, datasets, tokens, models }, options) {
  const progress = {
    isPaired: tokens.some((token) => token.kind === 'extension'),
    hasImages: datasets.some((dataset) => dataset.counts.total > 0),
    hasModel: models.length > 0,
    datasetId: datasets[0]?.id ?? null,
  };
  const isSetUp = stepStates(progress).slice(0, 4).every(Boolean);
  const steps = getStarted(progress, { ...options, extensionPath: server.extension_path ?? null });
  return isSetUp
    ? h(
        'details',
        { class: 'card' },
        h('summary', {}, h('h2', {}, 'Get started, or pair another browser')),
        steps,
      )
    : h('section', { class: 'card' }, h('h2', {}, 'Get started'), steps);
}

/**
 * @param {PageData} data What there is.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The datasets as cards.
 */
function datasetCards({ datasets, models }, signal) {
  const cards = datasets.map((dataset) =>
    datasetCard(
      dataset,
      models.find((model) => model.id === dataset.live_model_id) ?? null,
      signal,
    ),
  );
  return h(
    'section',
    {},
    h('h2', {}, 'Datasets'),
    cards.length > 0
      ? h('ul', { class: 'cards' }, ...cards)
      : emptyState(
          'No dataset yet',
          'Capture images with the extension, or create one here and import what you have.',
        ),
  );
}

/**
 * Show the home page.
 * @param {import('../lib/types.js').PageContext} context Where, and until when.
 */
export async function show({ root, signal }) {
  document.title = 'Bowerbird';
  const data = await readAll(signal);
  const machine = h('div', {});
  const drawMachine = (/** @type {PageData} */ now) =>
    replace(machine, machineCard(now, { signal, onChange: renewMachine }));
  const renewMachine = () => void readAll(signal).then(drawMachine, () => undefined);
  drawMachine(data);
  const steps = stepsCard(data, { signal, onPaired: renewMachine });
  const list = h('div', {}, datasetCards(data, signal));
  const side = h(
    'div',
    { class: 'stack' },
    h('section', { class: 'card' }, newDatasetForm()),
    machine,
  );
  const order = data.datasets.length === 0 ? [steps, list] : [list, steps];
  replace(
    root,
    h(
      'div',
      { class: 'page-head' },
      h('h1', { tabindex: -1 }, 'Your bower'),
      h(
        'p',
        { class: 'lead' },
        'Collect images while you browse, sort them by label, train a classifier, use it in the same browser.',
      ),
    ),
    h('div', { class: 'columns' }, h('div', { class: 'stack' }, ...order), side),
  );
  watchDatasets(list, data, signal);
}

/**
 * Renew the dataset cards while the page is open.
 * @param {HTMLElement} list Where they are.
 * @param {PageData} data What was shown first.
 * @param {AbortSignal} signal Of the page.
 */
function watchDatasets(list, data, signal) {
  let shown = JSON.stringify(data.datasets);
  void poll(
    async () => {
      if (document.hidden) return;
      const { items } = await listDatasets(signal);
      const now = JSON.stringify(items);
      // Not under the keyboard's focus: it would be lost.
      if (now === shown || list.contains(document.activeElement)) return;
      shown = now;
      replace(list, datasetCards({ ...data, datasets: items }, signal));
    },
    REFRESH_MS,
    signal,
  ).catch(() => undefined);
}
