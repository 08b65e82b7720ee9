/**
 * Remove everything of a site, in a dialog: which site and where, then what would go, then, once its name has been
 * typed, the removal and what it did.
 */
import { h, replace } from '../lib/dom.js';
import { timeElement } from '../lib/format.js';
import { amountsText, doneSentence, modelSentences, siteFrom } from '../lib/removal-words.js';
import { removeSite } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { showDialog } from './dialogs.js';
import { messagePlace, runAction } from './notices.js';

/** @typedef {import('../lib/types.js').Removal} Removal */
/** @typedef {{site: string, dataset_id: string | null, block: boolean}} Wish */
/** @typedef {import('../lib/dom.js').Child} Child */

/** Snapshots named one by one; a dataset that is snapped daily has hundreds. */
const MAX_LISTED = 8;

/**
 * @param {string} title Of the list.
 * @param {Child[][]} lines What stands in it.
 * @returns {HTMLElement | null} The first of them; nothing when there is none.
 */
function shareList(title, lines) {
  if (lines.length === 0) return null;
  const rest = lines.length - MAX_LISTED;
  return h(
    'section',
    {},
    h('h3', {}, title),
    h(
      'ul',
      { class: 'plain small' },
      ...lines.slice(0, MAX_LISTED).map((line) => h('li', {}, ...line)),
      rest > 0 && h('li', { class: 'muted' }, `and ${String(rest)} more`),
    ),
  );
}

/**
 * @param {Removal} removal What goes, or went.
 * @returns {Child[]} Amounts, datasets, snapshots and models.
 */
function removalFacts(removal) {
  const { datasets, snapshots, models } = removal;
  const line = (/** @type {string} */ name, /** @type {number} */ images) => [
    name,
    h('span', { class: 'muted' }, ` · ${String(images)}`),
  ];
  return [
    h('p', { class: 'diff-counts', 'data-testid': 'removal-amounts' }, amountsText(removal)),
    shareList(
      'Datasets',
      datasets.map(({ name, images }) => line(name, images)),
    ),
    shareList(
      'Snapshots that hold some of them',
      snapshots.map(({ created_at, images }) => [
        timeElement(created_at),
        h('span', { class: 'muted' }, ` · ${String(images)}`),
      ]),
    ),
    shareList(
      'Models that learnt from some of them',
      modelSentences(models).map((text) => [text]),
    ),
  ];
}

/** The dialog and how far it is. */
class SiteRemoval {
  #options;
  #body = h('div', { class: 'stack' });
  #title = h('h2', { id: 'removal-title', tabindex: -1 }, 'Remove everything of a site');
  #isRemoved = false;

  /** @param {{site: string, datasetId: string | null, signal: AbortSignal}} options What it begins with. */
  constructor(options) {
    this.#options = options;
    this.#ask();
  }

  /** @returns {Promise<boolean>} Whether something was removed or a site is kept out now. */
  async open() {
    const dialog = h(
      'dialog',
      {
        class: 'dialog removal',
        'aria-labelledby': 'removal-title',
        'data-testid': 'site-removal',
      },
      h('div', { class: 'stack' }, this.#title, this.#body),
    );
    await showDialog(dialog, this.#options.signal);
    return this.#isRemoved;
  }

  /**
   * @param {string} title Of the stage; it gets the focus, so that the change is read aloud.
   * @param {...Child} content Under it.
   */
  #enter(title, ...content) {
    this.#title.textContent = title;
    replace(this.#body, ...content);
    this.#title.focus();
  }

  /** Which site, and where. */
  #ask() {
    const { site, datasetId } = this.#options;
    const name = h('input', {
      required: true,
      maxlength: 253,
      value: site,
      placeholder: 'example.org',
      autocapitalize: 'off',
      spellcheck: false,
      'data-testid': 'removal-site',
    });
    const isHere = h('input', { type: 'checkbox', 'data-testid': 'removal-here' });
    const isBlocked = h('input', { type: 'checkbox', 'data-testid': 'removal-block' });
    const look = h(
      'button',
      { class: 'button primary', 'data-testid': 'removal-look' },
      'See what would go',
    );
    const message = messagePlace();
    const wish = () => ({
      site: siteFrom(name.value),
      dataset_id: isHere.checked ? datasetId : null,
      block: isBlocked.checked,
    });
    const onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      void runAction(look, message, async () => {
        const asked = wish();
        this.#confirm(asked, await removeSite({ ...asked, dry_run: true }));
      });
    };
    replace(
      this.#body,
      h(
        'form',
        { class: 'stack', onsubmit },
        h(
          'p',
          {},
          'A site is its host and all its sub-domains. An image is of it by its own address or by a page that showed it.',
        ),
        h('label', { class: 'field' }, 'Site', name),
        datasetId && checkbox(isHere, 'Only in this dataset'),
        checkbox(isBlocked, 'Keep it out from now on: captures and imports pass it over'),
        message,
        h('div', { class: 'row end' }, closeButton('Cancel'), look),
      ),
    );
  }

  /**
   * What would go, and the name of the site typed once more.
   * @param {Wish} wish What was asked for.
   * @param {Removal} removal What that would take.
   */
  #confirm(wish, removal) {
    const { site } = removal;
    if (removal.images + removal.captures === 0 && !wish.block) {
      this.#enter(
        `Nothing of ${site}`,
        h('p', {}, 'No image here is of this site.'),
        h('div', { class: 'row end' }, this.#backButton(), closeButton('Close')),
      );
      return;
    }
    const typed = h('input', {
      required: true,
      autocomplete: 'off',
      autocapitalize: 'off',
      spellcheck: false,
      'data-testid': 'removal-typed',
      oninput: () => (go.disabled = typed.value.trim().toLowerCase() !== site),
    });
    const go = h(
      'button',
      { class: 'button danger', disabled: true, 'data-testid': 'removal-go' },
      removal.images > 0 ? 'Remove for good' : 'Keep it out',
    );
    const message = messagePlace();
    const onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      void runAction(go, message, async () =>
        this.#tell(wish, await removeSite({ ...wish, site, dry_run: false })),
      );
    };
    this.#enter(
      `Remove everything of ${site}?`,
      ...removalFacts(removal),
      removal.snapshots.length > 0 &&
        h(
          'p',
          {},
          'Snapshots keep their list, but can no longer be exported whole, nor trained on. Models stay as they are: retrain those that should forget.',
        ),
      wish.block && h('p', {}, `${site} will be kept out from now on.`),
      h('p', {}, h('strong', {}, 'This cannot be undone.')),
      h(
        'form',
        { class: 'stack', onsubmit },
        h(
          'label',
          { class: 'field' },
          h('span', {}, 'Type ', h('code', {}, site), ' to confirm'),
          typed,
        ),
        message,
        h('div', { class: 'row end' }, this.#backButton(), go),
      ),
    );
  }

  /**
   * What it did.
   * @param {Wish} wish What was asked for.
   * @param {Removal} removal What went.
   */
  #tell(wish, removal) {
    this.#isRemoved = true;
    const live = removal.models.filter(({ stage }) => stage !== 'retired');
    const datasets = [...new Set(live.map(({ dataset_id }) => dataset_id))];
    this.#enter(
      'Removed',
      h('p', { role: 'status', 'data-testid': 'removal-done' }, doneSentence(removal)),
      wish.block && h('p', {}, `${removal.site} is kept out. The settings let it in again.`),
      live.length > 0 && h('p', {}, 'Some models still know what they learnt from it:'),
      live.length > 0 &&
        h(
          'ul',
          { class: 'plain' },
          ...datasets.map((id) =>
            h(
              'li',
              {},
              h('a', { href: hashFor('datasets', id) }, `Retrain ${nameOf(removal, id)}`),
            ),
          ),
        ),
      h('div', { class: 'row end' }, closeButton('Close')),
    );
  }

  /** @returns {HTMLElement} The way back to the question. */
  #backButton() {
    const back = () => {
      this.#title.textContent = 'Remove everything of a site';
      this.#ask();
      this.#title.focus();
    };
    return h('button', { type: 'button', class: 'button', onclick: back }, 'Back');
  }
}

/**
 * @param {Removal} removal With its datasets.
 * @param {string} id Of one of them.
 * @returns {string} Its name.
 */
const nameOf = ({ datasets }, id) => datasets.find((each) => each.id === id)?.name ?? 'the dataset';

/**
 * @param {HTMLInputElement} input Ticked or not.
 * @param {string} text What that means.
 * @returns {HTMLElement} Both as one label.
 */
const checkbox = (input, text) => h('label', { class: 'check' }, input, h('span', {}, text));

/**
 * @param {string} text On it.
 * @returns {HTMLElement} A button that closes the dialog it stands in.
 */
function closeButton(text) {
  const close = (/** @type {Event} */ event) =>
    event.target instanceof Element && event.target.closest('dialog')?.close();
  return h('button', { type: 'button', class: 'button', onclick: close }, text);
}

/**
 * Ask for a site, say what is of it, and remove that.
 * @param {{site?: string, datasetId?: string | null, signal: AbortSignal}} options What it begins with.
 * @returns {Promise<boolean>} Whether something has changed.
 */
export function openSiteRemoval({ site = '', datasetId = null, signal }) {
  return new SiteRemoval({ site, datasetId, signal }).open();
}
