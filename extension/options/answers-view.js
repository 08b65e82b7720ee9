/** Models kept in this browser, and when they answer. */
import { send } from '../lib/send.js';
import { formatNumber, text } from '../lib/text.js';
import { byId, make } from '../ui/dom.js';

/** @typedef {import('../inference/types.js').KeptModel} KeptModel */
/** @typedef {import('../lib/types.js').AnswersHere} AnswersHere */

/** Shows and changes them. */
export class AnswersView {
  /** @param {import('./page.js').Page} page The rest of the page. */
  constructor(page) {
    this.page = page;
    this.list = byId('kept-models', HTMLUListElement);
    this.none = byId('kept-none', HTMLElement);
    this.busy = byId('kept-busy', HTMLElement);
    this.refresh = byId('kept-refresh', HTMLButtonElement);
    this.refresh.addEventListener('click', () => {
      void this.#run(() => send('refresh-kept-models', null));
    });
    /** @type {HTMLInputElement[]} */
    this.modes = [...document.querySelectorAll('input[name="answers"]')].filter(
      (each) => each instanceof HTMLInputElement,
    );
    for (const each of this.modes) {
      each.addEventListener('change', () => {
        const mode = /** @type {AnswersHere} */ (each.value);
        void this.#run(() => send('choose-answers', { mode }));
      });
    }
  }

  /** Show everything as it is now. */
  async show() {
    const { mode, models } = await send('list-kept-models', null);
    for (const each of this.modes) each.checked = each.value === mode;
    this.refresh.hidden = mode === 'off';
    this.none.hidden = models.length > 0;
    this.list.replaceChildren(...models.map((model) => this.#row(model)));
  }

  /**
   * Do something that may take a while, and show what came of it.
   *
   * @param {() => Promise<null>} run The action.
   */
  async #run(run) {
    this.busy.hidden = false;
    this.refresh.disabled = true;
    await this.page.report(async () => void (await run()));
    this.busy.hidden = true;
    this.refresh.disabled = false;
    // What failed may have changed something all the same. Its error stays on show.
    await this.show();
  }

  /**
   * @param {KeptModel} model One that is kept.
   * @returns {HTMLLIElement} Its row.
   */
  #row({ bundle_sha256, dataset_name, server, facts, bytes }) {
    const name = dataset_name ?? new URL(server).host;
    const size = formatNumber(Math.max(1, Math.round(bytes / 1e6)));
    const button = make(
      'button',
      { class: 'quiet', type: 'button', 'aria-label': text('keptForgetOf', name) },
      text('keptForget'),
    );
    button.addEventListener('click', () => {
      void this.#run(() => send('forget-kept-models', { bundle_sha256 }));
    });
    const words = text('keptRow', name, facts.classes.length, size, new URL(server).host);
    return make('li', { 'data-testid': 'kept-model' }, words, ' ', button);
  }
}
