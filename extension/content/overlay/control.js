/** Shows and removes the marks of a page, as the settings and the person's orders say. */
import { ask, isOrphaned, listen } from './channel.js';
import { LeftOut } from './left-out.js';
import { Overlay } from './overlay.js';

/** @typedef {import('../../lib/page-messages.js').OverlayOrder['overlay']} Order */

/** One for each page. */
export class OverlayControl {
  /**
   * @param {object} parts What it works with.
   * @param {Document} parts.document The page.
   * @param {() => Map<Element, import('../../lib/types.js').Candidate>} parts.locate Reads it.
   */
  constructor(parts) {
    this.parts = parts;
    this.leftOut = new LeftOut();
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
   * @returns {Promise<{is_shown: boolean}>} Whether marks are shown then.
   */
  async obey(order) {
    if (order === 'follow') await this.#follow();
    if (order === 'show' || order === 'focus') this.isAskedFor = true;
    if (order === 'hide') this.isAskedFor = false;
    if (this.isAskedFor) this.#show();
    else if (order === 'hide') this.#hide();
    if (order === 'focus') this.overlay?.focus();
    return { is_shown: this.overlay !== null };
  }

  /** Do as the settings say. */
  async #follow() {
    const reply = await ask('read-overlay', null);
    // Nobody answered: what is shown stays, unless the extension is gone.
    if (reply === undefined) return this.#checkAlive();
    this.overlay?.refresh();
    if (reply.is_on) this.#show();
    else if (!this.isAskedFor) this.#hide();
  }

  /** Show marks, unless they are shown. */
  #show() {
    this.overlay ??= new Overlay({
      ...this.parts,
      leftOut: this.leftOut,
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

  /** Remove them from a page that the extension has left behind: nobody else can. */
  #checkAlive() {
    if (!isOrphaned()) return;
    this.isAskedFor = false;
    this.#hide();
  }
}
