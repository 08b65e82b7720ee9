/** The ways in which an image reaches the Classify tab: file, drop and paste. */
import { BowerbirdError } from '../lib/errors.js';
import { text } from '../lib/text.js';

/** Messages are limited to 64 MB, and base64 makes a third more of it. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/**
 * @typedef {object} ImageInputs
 * @property {HTMLElement} view The tab; pasting counts while it is shown.
 * @property {HTMLElement} dropZone Shows that it takes what is dragged; the whole tab does.
 * @property {HTMLInputElement} fileInput Chooses a file.
 * @property {(file: File) => void} onFile Takes an image's bytes.
 * @property {(url: string) => void} onAddress Takes an image's address.
 */

/**
 * Listen to all ways in.
 *
 * @param {ImageInputs} inputs Where to listen and whom to tell.
 */
export function takeImages(inputs) {
  const { view, dropZone, fileInput, onFile } = inputs;
  fileInput.addEventListener('change', () => {
    const [file] = fileInput.files ?? [];
    if (file !== undefined) onFile(file);
    // The same file may be chosen again.
    fileInput.value = '';
  });
  const setOver = (/** @type {boolean} */ isOver) => {
    dropZone.dataset['over'] = String(isOver);
  };
  view.addEventListener('dragover', (event) => {
    event.preventDefault();
    setOver(true);
  });
  view.addEventListener('dragleave', () => setOver(false));
  view.addEventListener('drop', (event) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer, inputs);
  });
  document.addEventListener('paste', (event) => {
    const isTyping = event.target instanceof HTMLInputElement;
    if (view.hidden || (isTyping && event.clipboardData?.files.length === 0)) return;
    if (take(event.clipboardData, inputs)) event.preventDefault();
  });
}

/**
 * Take the image out of what was dropped or pasted.
 *
 * @param {DataTransfer | null} data What was dropped or pasted.
 * @param {ImageInputs} inputs Whom to tell.
 * @returns {boolean} True when there was one.
 */
function take(data, { onFile, onAddress }) {
  const file = [...(data?.files ?? [])].find(({ type }) => type.startsWith('image/'));
  if (file !== undefined) {
    onFile(file);
    return true;
  }
  const words = data?.getData('text/uri-list') || data?.getData('text/plain') || '';
  const url = words.trim().split(/\s+/, 1)[0] ?? '';
  if (!/^(?:https?:|data:image\/)/i.test(url)) return false;
  onAddress(url);
  return true;
}

/**
 * Read a file for a message.
 *
 * @param {File} file An image.
 * @returns {Promise<string>} Its bytes as a data: address.
 * @throws {BowerbirdError} `too-large`, `unexpected`.
 */
export async function readImageFile(file) {
  if (file.size > MAX_FILE_BYTES) {
    throw new BowerbirdError('too-large', text('fileTooLarge'));
  }
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.onerror = () => reject(new BowerbirdError('unexpected', text('fileUnreadable')));
    reader.readAsDataURL(file);
  });
}
