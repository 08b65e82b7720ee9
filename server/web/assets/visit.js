/**
 * The page of a link for others: what the model is, and an image to ask it about. It needs no account, sends no
 * cookie, and takes no address: only the images that a visitor gives.
 */
import { cameraPanel } from './components/camera.js';
import { explainFailure } from './components/classify-failure.js';
import { dropzone } from './components/dropzone.js';
import { factList } from './components/facts.js';
import { messagePlace, runAction } from './components/notices.js';
import { predictionList } from './components/predictions.js';
import { Problem, request } from './lib/api.js';
import { h, replace } from './lib/dom.js';
import { explainError } from './lib/explain.js';
import { bytes, count, percent, plural, timeElement } from './lib/format.js';
import { onlyNewest } from './lib/newest.js';
import { classNames, keptSentence, limitSentences, qualitySentence } from './lib/visit-words.js';

/** @typedef {import('./lib/links.js').PublicModel} PublicModel */
/** @typedef {import('./lib/types.js').Classification} Classification */

/** With the secret, which is all that is needed. */
const HERE = location.pathname.replace(/\/+$/, '');

/**
 * @param {unknown} error Why there is no answer.
 * @returns {(Node | string)[]} What to tell the visitor; sentences of the server are meant for them.
 */
function explain(error) {
  if (error instanceof Problem && error.slug === 'allowance-used') return [`${error.detail}.`];
  return explainFailure(error);
}

/**
 * @param {File} file What the visitor gave.
 * @param {AbortSignal} signal Stops the question.
 * @returns {Promise<Classification>} What the model says.
 */
function classifyFile(file, signal) {
  const form = new FormData();
  form.append('file', file);
  const options = { form, signal, isVisit: true };
  return /** @type {Promise<Classification>} */ (request('POST', `${HERE}/classify`, options));
}

/**
 * @param {PublicModel} model What is asked.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The question and the answer, beside each other.
 */
function askPanel(model, signal) {
  const preview = h('div', { class: 'preview' });
  const hint = h('p', { class: 'muted' }, 'The answer appears here.');
  const answer = h('div', { 'aria-live': 'polite', 'data-testid': 'answer' }, hint);
  const message = messagePlace();
  const next = onlyNewest(signal);
  // What runs needs a button to hold meanwhile; here every way to ask stays open, and the newest counts.
  const held = h('button');
  const look = async (/** @type {File} */ file, /** @type {AbortSignal} */ asked) => {
    if (asked.aborted) return;
    const url = URL.createObjectURL(file);
    asked.addEventListener('abort', () => URL.revokeObjectURL(url), { once: true });
    replace(preview, h('img', { class: 'photo', src: url, alt: 'Your picture' }));
    replace(answer, h('p', { class: 'muted' }, 'Looking…'));
    try {
      if (file.size > model.max_image_bytes) {
        replace(answer);
        throw new Error(`The picture is larger than ${bytes(model.max_image_bytes)}.`);
      }
      const found = await classifyFile(file, asked);
      if (!asked.aborted) replace(answer, predictionList(found));
    } catch (error) {
      if (asked.aborted) return;
      replace(answer);
      throw error;
    }
  };
  let former = Promise.resolve();
  const ask = (/** @type {File} */ file) => {
    const asked = next();
    former = former.then(() => runAction(held, message, () => look(file, asked), explain));
  };
  return h(
    'div',
    { class: 'columns even' },
    h(
      'section',
      { class: 'card stack', 'aria-label': 'Your picture' },
      dropzone({
        text: 'Drop an image, paste one, or choose a file',
        isMultiple: false,
        canPaste: true,
        signal,
        onFiles: ([file]) => file && ask(file),
      }),
      cameraPanel({ signal, onFile: ask }),
      h('p', { class: 'muted small', 'data-testid': 'kept' }, keptSentence(model)),
      message,
    ),
    h('section', { class: 'card stack', 'aria-label': 'Answer' }, preview, answer),
  );
}

/**
 * @param {PublicModel} model What is shown.
 * @returns {HTMLElement} What it is, how good, and what it cannot do.
 */
function aboutPanel(model) {
  return h(
    'div',
    { class: 'columns even' },
    h(
      'section',
      { class: 'card stack', 'data-testid': 'about' },
      h('h2', {}, 'What it is'),
      h('p', { 'data-testid': 'quality' }, qualitySentence(model)),
      factList([
        ['Classes', classNames(model.classes)],
        ['Error rate', percent(model.error_rate)],
        ['Always the most frequent class', percent(model.baseline_error_rate)],
        ['Trained on', plural(model.train_count, 'image')],
        ['Judged on', `${plural(model.valid_count, 'other image')}`],
        ['Trained', timeElement(model.trained_at)],
        ['The link works until', timeElement(model.expires_at)],
      ]),
    ),
    h(
      'section',
      { class: 'card stack', 'data-testid': 'limits' },
      h('h2', {}, 'What it cannot do'),
      h('ul', { class: 'stack tight' }, ...limitSentences(model).map((text) => h('li', {}, text))),
    ),
  );
}

/**
 * Show the page.
 * @param {HTMLElement} root Where.
 * @param {AbortSignal} signal Until when.
 */
async function show(root, signal) {
  const options = { signal, isVisit: true };
  const model = /** @type {PublicModel} */ (await request('GET', `${HERE}/model`, options));
  document.title = `Try ${model.name} · Bowerbird`;
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('h1', { tabindex: -1 }, `What is this? Ask “${model.name}”`),
      h(
        'p',
        { class: 'lead' },
        `Show it a picture: it tells ${count(model.classes.length)} kinds of things apart.`,
      ),
    ),
    h(
      'div',
      { class: 'stack' },
      askPanel(model, signal),
      aboutPanel(model),
      h(
        'details',
        { class: 'card', 'data-testid': 'card' },
        h('summary', {}, 'Its model card'),
        h('pre', { class: 'model-card', tabindex: 0 }, model.card),
      ),
    ),
  );
}

const main = document.getElementById('main');
if (main) {
  const left = new AbortController();
  addEventListener('pagehide', () => left.abort(), { once: true });
  try {
    await show(main, left.signal);
  } catch (error) {
    const title = h('h1', {}, 'There is nothing to try here now');
    replace(main, h('header', { class: 'page-head' }, title, h('p', {}, explainError(error))));
  }
  main.removeAttribute('aria-busy');
}
