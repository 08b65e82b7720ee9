/** The choices that are a click each: colours, marks in pages, and what these ask the model. */
import { send } from '../lib/send.js';
import { byId } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */
/** @typedef {import('../lib/types.js').Theme} Theme */

/** Shows and changes them. */
export class SwitchesView {
  /** @param {import('./page.js').Page} page The rest of the page. */
  constructor(page) {
    this.overlay = byId('overlay', HTMLInputElement);
    this.overlay.addEventListener('change', () => {
      void page.report(async () => {
        await send('switch-overlay', { is_on: this.overlay.checked });
      });
    });
    this.opinions = byId('opinions', HTMLInputElement);
    this.opinions.addEventListener('change', () => {
      void page.report(async () => {
        await send('switch-opinions', { is_on: this.opinions.checked });
      });
    });
    /** @type {HTMLInputElement[]} */
    this.themes = [...document.querySelectorAll('input[name="theme"]')].filter(
      (each) => each instanceof HTMLInputElement,
    );
    for (const each of this.themes) {
      each.addEventListener('change', () => {
        const theme = /** @type {Theme} */ (each.value);
        void page.report(async () => void (await send('set-theme', { theme })));
      });
    }
  }

  /** @param {ExtensionState} state What the background remembers. */
  show({ theme, is_overlay_on, is_model_asked }) {
    this.overlay.checked = is_overlay_on;
    this.opinions.checked = is_model_asked;
    for (const each of this.themes) each.checked = each.value === theme;
  }
}
