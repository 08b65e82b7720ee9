/**
 * What is to be imported: a zip, a tar, a table or a folder, dropped or chosen.
 */
import { h } from '../lib/dom.js';
import { chosenFiles, droppedFiles } from '../lib/dropped-files.js';
import { plural } from '../lib/format.js';
import { tarOf } from '../lib/tar.js';
import { listenToDrops } from './dropzone.js';

/** @typedef {import('../lib/tar.js').PathFile} PathFile */
/** @typedef {{name: string, body: Blob}} ImportSource */

/** What the server reads, or refuses with a sentence that says why: it goes there as it is. */
const PACKED = /\.(zip|tar|csv|gz|tgz|bz2|xz|zst|7z|rar|parquet)$/i;

/**
 * @param {PathFile[]} files What was chosen or dropped.
 * @returns {ImportSource | null} What to send and how to call it; null for nothing at all.
 */
export function sourceOf(files) {
  const [first] = files;
  if (!first) return null;
  if (files.length === 1 && PACKED.test(first.path)) return { name: first.path, body: first.file };
  const folder = first.path.includes('/') ? first.path.split('/')[0] : null;
  const isOneFolder = folder && files.every(({ path }) => path.startsWith(`${folder}/`));
  const counted = plural(files.length, 'file');
  return { name: isOneFolder ? `${folder} (${counted})` : counted, body: tarOf(files) };
}

/**
 * @param {string} text On it.
 * @param {import('../lib/dom.js').Attributes} attributes Of the input.
 * @param {(files: PathFile[]) => void} onFiles Told of what was chosen.
 * @returns {HTMLElement} A button that opens the browser's own dialog: a label of an input, so that keys work.
 */
function chooser(text, attributes, onFiles) {
  const input = h('input', {
    type: 'file',
    class: 'visually-hidden',
    onchange: () => {
      const files = chosenFiles(input.files);
      input.value = '';
      onFiles(files);
    },
    ...attributes,
  });
  return h('label', { class: 'button chooser' }, input, text);
}

/**
 * @param {{onSource: (source: ImportSource) => void, onError: (error: unknown) => void}} options Told of what is to be
 *   imported, or why it cannot be read.
 * @returns {HTMLElement} The zone with its two buttons.
 */
export function importSource({ onSource, onError }) {
  const take = (/** @type {PathFile[]} */ files) => {
    const source = sourceOf(files);
    if (source) onSource(source);
  };
  const zone = h(
    'div',
    { class: 'dropzone is-tall', 'data-testid': 'import-zone' },
    h('p', {}, h('strong', {}, 'Drop a folder, a zip, a tar or a CSV here')),
    h(
      'div',
      { class: 'row' },
      chooser('Choose a file', { 'data-testid': 'import-file' }, take),
      chooser(
        'Choose a folder',
        { webkitdirectory: true, multiple: true, 'data-testid': 'import-folder' },
        take,
      ),
    ),
  );
  listenToDrops(zone, (transfer) => void droppedFiles(transfer).then(take, onError));
  return zone;
}
