/** What the page shows while it is scrolled: how far it is, how to stop it, and what came of it. */
import { formatNumber, text, textCount } from '../../lib/text.js';
import { makeButton, makeCard, makeCloseButton, makeElement, markTrouble } from '../card.js';
import { describeCount, describeEnd } from './wording.js';

/** @typedef {import('../../lib/scroll.js').ScrollState} ScrollState */

/** Unseen, but read out. */
const SPOKEN =
  'position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)';
const TRACK = 'height: 5px; border-radius: 3px; background:';
/** As long as it takes to read two sentences, twice. */
const LAST_SHOWN_MS = 20_000;
/** What is read out on the way: the quarters. A count at every step would talk all the time. */
const SPOKEN_PARTS = 4;

/** The panel of one run. */
export class ScrollPanel {
  /**
   * @param {Document} document The page.
   * @param {() => void} onStop Told when the person presses Stop.
   */
  constructor(document, onStop) {
    this.document = document;
    const { host, card } = makeCard(document, 'closed');
    this.host = host;
    this.card = card;
    host.id = 'bowerbird-scroll';
    card.setAttribute('role', 'group');
    card.setAttribute('aria-label', text('extensionName'));
    this.title = makeElement(
      document,
      'div',
      'font-weight: 650; font-variant-numeric: tabular-nums',
    );
    this.note = makeElement(document, 'div', 'margin-top: 6px; font-size: 12.5px; opacity: 0.85');
    this.fill = makeElement(document, 'div', `${TRACK} #6474f0; width: 0`);
    this.track = makeElement(document, 'div', `${TRACK} #8884; margin-top: 8px`);
    this.track.append(this.fill);
    this.spoken = makeElement(document, 'div', SPOKEN);
    this.spoken.setAttribute('role', 'status');
    this.spokenPart = -1;
    this.stop = makeButton(document, text('scrollStop'));
    this.stop.style.marginTop = '10px';
    // A click of the page's own making stops nothing.
    this.stop.addEventListener('click', ({ isTrusted }) => isTrusted && onStop());
    card.append(this.title, this.track, this.note, this.stop, this.spoken);
    this.#attach();
  }

  /** @param {ScrollState} state How far it is. */
  show(state) {
    const { count, goal_count, phase } = state;
    this.#attach();
    this.title.textContent = `${describeCount(state)} · ${text('scrollEscStops')}`;
    this.note.textContent = phase === 'hidden' ? text('scrollHidden') : this.#nameTarget(state);
    this.fill.style.width = `${Math.min(100, (100 * count) / goal_count)}%`;
    const part = Math.floor((SPOKEN_PARTS * count) / goal_count);
    if (part > this.spokenPart) this.spoken.textContent = this.title.textContent;
    this.spokenPart = Math.max(part, this.spokenPart);
  }

  /** @param {number} count How many are being captured. */
  showCapturing(count) {
    this.stop.remove();
    this.title.textContent = textCount('scrollCapturing', count);
  }

  /**
   * Say what came of it, then go.
   *
   * @param {ScrollState} state The run, ended.
   */
  showEnd(state) {
    const { title, note, isTrouble } = describeEnd(state);
    this.#end(title, note, isTrouble);
  }

  /**
   * Say that it could not go on.
   *
   * @param {number} count How many had been found.
   */
  showLost(count) {
    this.#end(text('scrollLost'), text('scrollLostNote', formatNumber(count)), true);
  }

  /** Remove it. */
  remove() {
    this.host.remove();
  }

  /** Put it into the page, where it belongs even if the page has removed it. */
  #attach() {
    if (!this.host.isConnected) this.document.documentElement.append(this.host);
  }

  /**
   * Show a last message.
   *
   * @param {string} title What came of it.
   * @param {string} note Why it ended.
   * @param {boolean} isTrouble Whether that needs attention.
   */
  #end(title, note, isTrouble) {
    this.#attach();
    this.stop.remove();
    this.track.remove();
    this.title.textContent = title;
    this.note.textContent = note;
    this.note.hidden = note === '';
    this.spoken.textContent = `${title} ${note}`;
    markTrouble(this.card, isTrouble);
    const close = makeCloseButton(this.document, text('toastClose'));
    close.addEventListener('click', () => this.remove());
    this.card.append(close);
    setTimeout(() => this.remove(), LAST_SHOWN_MS);
  }

  /**
   * Say where the images go.
   *
   * @param {ScrollState} state The run.
   * @returns {string} The sentence.
   */
  #nameTarget({ label, dataset_name }) {
    return text('scrollTarget', label, dataset_name);
  }
}
