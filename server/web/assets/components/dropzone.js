/**
 * A place that takes image files: by dropping, by the file dialog and, if wished, by pasting.
 */
import { h } from '../lib/dom.js';

/**
 * @param {FileList | null | undefined} list From an input or a drop.
 * @returns {File[]} The images among them; the server looks at the bytes, this is only the first sieve.
 */
function imageFiles(list) {
  return [...(list ?? [])].filter((file) => file.type.startsWith('image/'));
}

/**
 * @typedef {object} DropzoneOptions
 * @property {string} text What may be put here.
 * @property {boolean} isMultiple Whether several files may come at once.
 * @property {boolean} [canPaste] Listen to pasting anywhere on the page.
 * @property {AbortSignal} signal Of the page.
 * @property {(files: File[]) => void} onFiles Told of at least one image.
 */

/**
 * @param {DropzoneOptions} options What to take and whom to tell.
 * @returns {HTMLElement} The zone: a label of a file input, so that keyboard and screen reader get an ordinary control.
 */
export function dropzone({ text, isMultiple, canPaste = false, signal, onFiles }) {
  const take = (/** @type {FileList | null | undefined} */ list) => {
    const files = imageFiles(list);
    if (files.length > 0) onFiles(isMultiple ? files : files.slice(0, 1));
  };
  const input = h('input', {
    type: 'file',
    accept: 'image/*',
    multiple: isMultiple,
    class: 'visually-hidden',
    'data-testid': 'file-input',
    onchange: () => {
      take(input.files);
      input.value = '';
    },
  });
  const zone = h('label', { class: 'dropzone' }, input, h('span', {}, text));
  listenToDrops(zone, (transfer) => take(transfer?.files));
  if (canPaste) {
    document.addEventListener('paste', (event) => take(event.clipboardData?.files), { signal });
  }
  return zone;
}

/**
 * Take what is dropped on an element, which shows that it would.
 * @param {HTMLElement} zone Where.
 * @param {(transfer: DataTransfer | null) => void} onDrop Told of a drop while its event lasts.
 */
export function listenToDrops(zone, onDrop) {
  const over = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    zone.classList.add('is-over');
  };
  zone.addEventListener('dragenter', over);
  zone.addEventListener('dragover', over);
  zone.addEventListener('dragleave', () => zone.classList.remove('is-over'));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    zone.classList.remove('is-over');
    onDrop(event.dataTransfer);
  });
}
