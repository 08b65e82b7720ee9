/** A button for what cannot be undone: the first click arms it, the second one does it. */
import { text } from '../lib/text.js';
import { whileBusy } from './dom.js';

/** Long enough to read the question; after that a stray click does nothing again. */
const ARMED_MS = 8000;

/**
 * Make a button ask back.
 *
 * @param {HTMLButtonElement} button The button.
 * @param {{name: string, sure: string}} words Keys of its name, and of the question it asks back.
 * @param {() => Promise<void>} run What the second click does; handles its own errors.
 */
export function armButton(button, { name, sure }, run) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const disarm = () => {
    clearTimeout(timer);
    delete button.dataset['armed'];
    button.textContent = text(name);
  };
  disarm();
  button.addEventListener('blur', disarm);
  button.addEventListener('click', () => {
    if (button.dataset['armed'] === undefined) {
      button.dataset['armed'] = 'true';
      button.textContent = text(sure);
      timer = setTimeout(disarm, ARMED_MS);
      return;
    }
    disarm();
    void whileBusy(button, run);
  });
}
