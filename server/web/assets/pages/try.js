/**
 * Try a model: drop, paste, choose a file, or give an address.
 */
import { cameraPanel } from '../components/camera.js';
import { explainFailure } from '../components/classify-failure.js';
import { dropzone } from '../components/dropzone.js';
import { evidencePanel } from '../components/evidence.js';
import { emptyState, messagePlace, runAction } from '../components/notices.js';
import { predictionList } from '../components/predictions.js';
import { verdictPanel } from '../components/verdict.js';
import { h, replace } from '../lib/dom.js';
import { percent } from '../lib/format.js';
import { onlyNewest } from '../lib/newest.js';
import { classify, listDatasets, listModels } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {{file: File} | {url: string}} Source */

/** This page loads nothing from elsewhere: the address would learn who asks. */
const FETCHED_BY_SERVER = 'The server fetched the picture itself; this page does not show it.';

/**
 * @param {Model[]} models All that may answer.
 * @param {Map<string, string>} names Of the datasets.
 * @param {string | null} chosen From the address.
 * @returns {HTMLSelectElement} Which model to ask.
 */
function modelSelect(models, names, chosen) {
  const options = models.map((model) =>
    h(
      'option',
      { value: model.id, selected: model.id === chosen },
      `${names.get(model.dataset_id) ?? 'dataset'} (${model.stage}, ${percent(model.metrics.error_rate)} error)`,
    ),
  );
  return h(
    'select',
    { 'data-testid': 'model-select' },
    h('option', { value: '' }, 'Newest live model'),
    ...options,
  );
}

/**
 * @param {HTMLElement} preview Where the picture is shown.
 * @param {File} file A local picture.
 * @param {AbortSignal} signal Of the question: gives the memory back.
 */
function showPreview(preview, file, signal) {
  const url = URL.createObjectURL(file);
  signal.addEventListener('abort', () => URL.revokeObjectURL(url), { once: true });
  replace(preview, h('img', { class: 'photo', src: url, alt: file.name }));
}

/**
 * @param {(url: string) => void} onAsk Told of an address.
 * @returns {{form: HTMLElement, button: HTMLButtonElement}} The form for an address.
 */
function addressForm(onAsk) {
  const input = h('input', {
    type: 'url',
    required: true,
    placeholder: 'https://example.org/bear.jpg',
    'data-testid': 'url-input',
  });
  const button = h('button', { class: 'button primary', 'data-testid': 'classify-url' }, 'Ask');
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    onAsk(input.value.trim());
  };
  const field = h(
    'label',
    { class: 'field' },
    'Or an address',
    h('div', { class: 'row' }, input, button),
  );
  return { form: h('form', { onsubmit: submit }, field), button };
}

/**
 * The form and the answer.
 * @param {HTMLSelectElement} select Which model to ask.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} Both, beside each other.
 */
function tryPanel(select, signal) {
  const preview = h('div', { class: 'preview' });
  const hint = h('p', { class: 'muted' }, 'The answer appears here.');
  const answer = h('div', { 'aria-live': 'polite', 'data-testid': 'answer' }, hint);
  const message = messagePlace();
  const { form, button } = addressForm((url) => ask({ url }));
  const look = async (/** @type {Source} */ source, /** @type {AbortSignal} */ asked) => {
    if (asked.aborted) return;
    const file = 'file' in source ? source.file : null;
    replace(preview);
    if (file) showPreview(preview, file, asked);
    replace(answer, h('p', { class: 'muted' }, 'Looking…'));
    try {
      const found = await classify(source, select.value || null, asked);
      if (asked.aborted) return;
      if (!file) replace(preview, h('p', { class: 'muted' }, FETCHED_BY_SERVER));
      replace(
        answer,
        h(
          'div',
          { class: 'stack' },
          predictionList(found),
          verdictPanel(source, found),
          evidencePanel(source, found.model_id, asked),
        ),
      );
    } catch (error) {
      if (asked.aborted) return;
      replace(answer);
      throw error;
    }
  };
  const next = onlyNewest(signal);
  let former = Promise.resolve();
  const ask = (/** @type {Source} */ source) => {
    const asked = next();
    const run = () => runAction(button, message, () => look(source, asked), explainFailure);
    // The one before, just ended, lets go of the button first.
    former = former.then(run);
  };
  const zone = dropzone({
    text: 'Drop an image, paste one, or choose a file',
    isMultiple: false,
    canPaste: true,
    signal,
    onFiles: ([file]) => file && ask({ file }),
  });
  const camera = cameraPanel({ signal, onFile: (file) => ask({ file }) });
  const which = h('label', { class: 'field' }, 'Model', select);
  return h(
    'div',
    { class: 'columns even' },
    h('section', { class: 'card stack' }, which, zone, camera, form, message),
    h('section', { class: 'card stack' }, preview, answer),
  );
}

/**
 * Show the page.
 * @param {import('../lib/types.js').PageContext} context Where, and until when.
 */
export async function show({ root, route, signal }) {
  document.title = 'Try it · Bowerbird';
  const [models, datasets] = await Promise.all([
    listModels({ limit: 100 }, signal),
    listDatasets(signal),
  ]);
  const names = new Map(datasets.items.map((dataset) => [dataset.id, dataset.name]));
  const usable = models.items.filter((model) => model.stage !== 'retired');
  const head = h(
    'header',
    { class: 'page-head' },
    h('h1', { tabindex: -1 }, 'What is this?'),
    h('p', { class: 'lead' }, 'Show a model an image that it has never seen.'),
  );
  const first = datasets.items[0];
  const content =
    usable.length > 0
      ? tryPanel(modelSelect(usable, names, route.query.get('model')), signal)
      : emptyState(
          'No model yet',
          'Train one first. ',
          h(
            'a',
            { href: first ? hashFor('datasets', first.id) : hashFor('home') },
            first ? `Open ${first.name}` : 'Get started',
          ),
        );
  replace(root, head, content);
}
