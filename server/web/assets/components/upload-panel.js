/**
 * Adding images by hand: choose a label, drop files.
 */
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { plural } from '../lib/format.js';
import { createLabel, uploadImage } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { dropzone } from './dropzone.js';
import { messagePlace } from './notices.js';
import { progressBar } from './progress.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */

/**
 * @typedef {object} Upload
 * @property {string} datasetId Where to.
 * @property {string} label Under which label.
 * @property {File[]} files What.
 * @property {AbortSignal} signal Of the page.
 * @property {(done: number) => void} onStep Told after each.
 */

/**
 * Send files one after the other: the server decodes each, and the order stays as chosen.
 * @param {Upload} upload What to send.
 * @returns {Promise<string[]>} A sentence for each file that was refused.
 */
async function sendAll({ datasetId, label, files, signal, onStep }) {
  /** @type {string[]} */
  const refused = [];
  for (const [index, file] of files.entries()) {
    const form = new FormData();
    form.set('file', file);
    if (label) form.set('label', label);
    try {
      const image = await uploadImage(datasetId, form, signal);
      if (image.status === 'duplicate') refused.push(`${file.name}: already in this dataset.`);
    } catch (error) {
      if (signal.aborted) return refused;
      refused.push(`${file.name}: ${explainError(error)}`);
    }
    onStep(index + 1);
  }
  return refused;
}

/**
 * @param {{dataset: () => Dataset, signal: AbortSignal, onDone: () => void}} options `dataset` gives the newest state.
 * @returns {HTMLElement} The panel.
 */
export function uploadPanel({ dataset, signal, onDone }) {
  const list = h('datalist', { id: 'known-labels' });
  const input = h('input', {
    list: 'known-labels',
    maxlength: 100,
    placeholder: 'teddy bear',
    autocomplete: 'off',
    'data-testid': 'upload-label',
    onfocus: () =>
      replace(
        list,
        ...Object.keys(dataset().counts.labels).map((name) => h('option', { value: name })),
      ),
  });
  const message = messagePlace();
  const send = async (/** @type {File[]} */ files) => {
    const label = input.value.trim();
    const { id, counts } = dataset();
    message.classList.remove('is-error');
    const show = (/** @type {number} */ done) =>
      replace(message, progressBar({ done, total: files.length, label: 'Adding images' }));
    show(0);
    if (label && !(label in counts.labels)) await createLabel(id, label);
    const refused = await sendAll({ datasetId: id, label, files, signal, onStep: show });
    const added = files.length - refused.length;
    replace(
      message,
      `${plural(added, 'image')} added.`,
      refused.length > 0 &&
        h('ul', { class: 'plain small' }, ...refused.map((line) => h('li', {}, line))),
    );
    onDone();
  };
  const zone = dropzone({
    text: 'Drop images here, or choose files',
    isMultiple: true,
    signal,
    onFiles: (files) =>
      void send(files).catch((error) => {
        message.classList.add('is-error');
        replace(message, explainError(error));
      }),
  });
  return h(
    'details',
    { class: 'card', 'data-testid': 'upload-panel', open: dataset().counts.total === 0 },
    h('summary', {}, h('h2', {}, 'Add your own images')),
    h(
      'div',
      { class: 'stack tight' },
      h('label', { class: 'field' }, 'Label', input, list),
      zone,
      message,
      importLink(dataset().id),
    ),
  );
}

/**
 * @param {string} datasetId Where to.
 * @returns {HTMLElement} The way to everything that is more than single images.
 */
function importLink(datasetId) {
  const href = hashFor('datasets/import', datasetId);
  return h(
    'p',
    { class: 'small' },
    h('a', { href, 'data-testid': 'import-link' }, 'Import a folder, a zip, a tar or a CSV'),
  );
}
