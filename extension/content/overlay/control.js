/** Shows and removes the marks of a page, as the settings and the person's orders say. */
import { ask, isOrphaned, listen } from './channel.js';
import { LeftOut } from './left-out.js';
import { Overlay } from './overlay.js';
import { Questions } from './questions.js';

/** @typedef {import('../../lib/page-messages.js').OverlayOrder['overlay']} Order */
/** @typedef {import('../../lib/page-messages.js').OverlayState} OverlayState */

/** One for each page. */
export class OverlayControl {
  /**
   * @param {object} parts What it works with.
   * @param {Document} parts.document The page.
   * @param {() => Map<Element, import('../../lib/types.js').Candidate>} parts.locate Reads it.
   * @param {() => string | null} parts.findQuery Reads what was searched for.
   */
  constructor(parts) {
    this.parts = parts;
    this.leftOut = new LeftOut();
    this.questions = new Questions({
      ask: (subject, urls) => ask('ask-opinions', { subject, urls }),
      onAnswer: () => this.overlay?.redraw(),
    });
    /** @type {string | null} What the page answered when the settings were followed last. */
    this.query = null;
    /** @type {Overlay | null} */
    this.overlay = null;
    /** Shown for once, whatever the settings say. */
    this.isAskedFor = false;
  }

  /** Obey from now on, and begin with what the settings say. */
  start() {
    listen((order) => this.obey(order));
    const { document } = this.parts;
    if (document.readyState !== 'loading') return void this.obey('follow');
    document.addEventListener('DOMContentLoaded', () => void this.obey('follow'), { once: true });
  }

  /**
   * Obey an order.
   *
   * @param {Order} order What to do.
   * @returns {Promise<OverlayState>} Whether marks are shown then, and what the model says.
   */
  async obey(order) {
    if (order === 'follow') await this.#follow();
    if (order === 'show' || order === 'focus') this.isAskedFor = true;
    if (order === 'hide') this.isAskedFor = false;
    if (this.isAskedFor) this.#show();
    else if (order === 'hide') this.#hide();
    if (order === 'focus') this.overlay?.focus();
    const isShown = this.overlay !== null;
    return { is_shown: isShown, opinions: isShown ? this.questions.summarise() : null };
  }

  /** Do as the settings say. */
  async #follow() {
    this.query = this.parts.findQuery();
    const reply = await ask('read-overlay', { query: this.query });
    // Nobody answered: what is shown stays, unless the extension is gone.
    if (reply === undefined) return this.#checkAlive();
    this.overlay?.refresh();
    this.questions.follow(reply.asking);
    if (reply.is_on) this.#show();
    else if (!this.isAskedFor) this.#hide();
  }

  /** Show marks, unless they are shown. */
  #show() {
    this.overlay ??= new Overlay({
      ...this.parts,
      leftOut: this.leftOut,
      questions: this.questions,
      onRead: () => void this.#checkQuery(),
      isAlive: () => !isOrphaned(),
      ask: async (urls) => {
        const found = await ask('find-held', { urls });
        if (found === undefined) this.#checkAlive();
        return found ?? null;
      },
      exclude: async (url, isExcluded) => {
        const held = await ask('exclude-image', { url, is_excluded: isExcluded });
        if (held === undefined) this.#checkAlive();
        return held;
      },
    });
  }

  /** Remove them. */
  #hide() {
    this.overlay?.remove();
    this.overlay = null;
  }

  /** Ask for the label anew when the page, without being loaded, answers another search. */
  async #checkQuery() {
    const query = this.parts.findQuery();
    if (this.questions.asking === null || query === this.query) return;
    this.query = query;
    const reply = await ask('read-overlay', { query });
    if (reply !== undefined) this.questions.follow(reply.asking);
  }

  /** Remove them from a page that the extension has left behind: nobody else can. */
  #checkAlive() {
    if (!isOrphaned()) return;
    this.isAskedFor = false;
    this.#hide();
  }
}
