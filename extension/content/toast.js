/** The small answer that appears in the page after "What is this?" and after the shortcut. */
import { text } from '../lib/text.js';
import { makeCard, makeCloseButton, makeElement, markTrouble } from './card.js';

/**
 * @typedef {object} Toast
 * @property {string} title First line.
 * @property {string} note Second line, or an empty text.
 * @property {{label: string, percent: number}[]} bars The model's answer, best first.
 * @property {'busy' | 'answer' | 'error'} tone What it is.
 */

const ID = 'bowerbird-toast';
const TRACK = 'height: 5px; border-radius: 3px; background:';
/** As long as it takes to read five lines, twice. */
const SHOWN_MS = 20_000;

/**
 * Show a toast in this page, in place of the former one.
 *
 * @param {Toast} toast What to show.
 */
export function showToast({ title, note, bars, tone }) {
  document.getElementById(ID)?.remove();
  const { host, card } = makeCard(document, 'open');
  host.id = ID;
  Object.assign(card.dataset, { testid: 'toast', tone });
  card.setAttribute('role', 'status');
  markTrouble(card, tone === 'error');
  const close = makeCloseButton(document, text('toastClose'));
  card.append(makeElement(document, 'div', 'font-weight: 650', title), ...bars.flatMap(makeBar));
  if (note) card.append(makeElement(document, 'div', NOTE, note));
  card.append(close);
  document.documentElement.append(host);
  const end = new AbortController();
  const dismiss = () => {
    host.remove();
    end.abort();
  };
  /** @param {KeyboardEvent} event A key. */
  const onKey = ({ key }) => key === 'Escape' && dismiss();
  close.addEventListener('click', dismiss);
  document.addEventListener('keydown', onKey, { capture: true, signal: end.signal });
  setTimeout(dismiss, SHOWN_MS);
}

const NOTE = 'margin-top: 6px; font-size: 12.5px; opacity: 0.8';

/**
 * Draw how sure the model is of a label.
 *
 * @param {Toast['bars'][number]} bar The label.
 * @returns {HTMLElement[]} Its line and its bar.
 */
function makeBar({ label, percent }) {
  const row = makeElement(document, 'div', 'display: flex; gap: 8px; margin-top: 6px');
  row.append(
    makeElement(document, 'span', 'flex: 1', label),
    makeElement(document, 'span', 'opacity: 0.75', `${percent} %`),
  );
  const track = makeElement(document, 'div', `${TRACK} #8884`);
  track.append(makeElement(document, 'div', `${TRACK} #6474f0; width: ${percent}%`));
  return [row, track];
}
