/**
 * One image, large: facts, sightings, relabel, exclude, and on to the next by the arrow keys.
 */
import { h, replace, spoken } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { fileUrl, changeImage, readImage } from '../lib/resources.js';
import { showDialog } from './dialogs.js';
import { imageFacts, sightingList } from './facts.js';
import { toast } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */

/**
 * @typedef {object} LoupeOptions
 * @property {() => Image[]} items The images one can walk through; read anew at each step, since it may grow.
 * @property {number} index Where to start.
 * @property {string[]} labels All labels of the dataset.
 * @property {AbortSignal} signal Of the page.
 * @property {(image: Image) => void} onChange Told after a change.
 * @property {(index: number) => void} [onMove] Told of each step.
 * @property {(image: Image) => HTMLElement | null} [extra] More to say about an image.
 */

/**
 * Change an image and say so, with a way back.
 * @param {Image} image As it is.
 * @param {import('../lib/types.js').ImageChange} change What to change.
 * @param {(image: Image) => void} onChange Told of the new state.
 */
export async function applyChange(image, change, onChange) {
  try {
    const now = { ...image, ...(await changeImage(image.id, change)) };
    onChange(now);
    const isExclusion = change.excluded !== undefined;
    const text = isExclusion
      ? change.excluded
        ? 'Excluded: training will not see it.'
        : 'Included again.'
      : `Labelled ${now.label ?? ''}.`;
    const back = isExclusion
      ? { excluded: image.excluded }
      : image.label
        ? { label: image.label }
        : null;
    toast(text, back && { label: 'Undo', run: () => void applyChange(now, back, onChange) });
  } catch (error) {
    toast(explainError(error));
  }
}

/** The dialog and where in the list it is. */
class Loupe {
  #options;
  /** @type {Image | undefined} */
  #image;
  #stage = h('div', { class: 'loupe-stage' });
  #side = h('div', { class: 'loupe-side stack' });
  #place = h('span', { class: 'muted tabular', 'aria-live': 'polite' });
  #dialog = h('dialog', { class: 'loupe', 'aria-label': 'Image', 'data-testid': 'loupe' });

  /** @param {LoupeOptions} options What to show. */
  constructor(options) {
    this.#options = options;
    this.#image = options.items()[options.index];
    this.#dialog.append(
      h(
        'div',
        { class: 'loupe-bar row between' },
        h(
          'div',
          { class: 'row' },
          this.#button('‹', 'Previous image', () => this.#move(-1)),
          this.#button('›', 'Next image', () => this.#move(1)),
          this.#place,
        ),
        this.#button('Close', 'Close', () => this.#dialog.close()),
      ),
      this.#stage,
      this.#side,
    );
    this.#dialog.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** Show it until it is closed. */
  async show() {
    this.#draw();
    await showDialog(this.#dialog, this.#options.signal);
  }

  /**
   * @param {string} text On it.
   * @param {string} title What it does.
   * @param {() => void} onclick Told of a press.
   * @returns {HTMLButtonElement} A button.
   */
  #button(text, title, onclick) {
    return h(
      'button',
      { type: 'button', class: 'button', 'aria-label': title, title, onclick },
      text,
    );
  }

  /** @param {number} step Forwards or backwards; the ends are ends. */
  #move(step) {
    const items = this.#options.items();
    const at = this.#index(items);
    const next = items[at + step];
    if (!next) return;
    this.#image = next;
    this.#options.onMove?.(at + step);
    this.#draw();
  }

  /**
   * @param {Image[]} items As they are now: the list may have changed since the last step.
   * @returns {number} Where the image stands in it; -1 when it is no longer there.
   */
  #index(items) {
    return items.findIndex((item) => item.id === this.#image?.id);
  }

  /** @param {KeyboardEvent} event Anywhere in the dialog. */
  #onKey(event) {
    if (event.target instanceof HTMLSelectElement || event.ctrlKey || event.metaKey) return;
    const image = this.#image;
    if (event.key === 'ArrowRight') this.#move(1);
    else if (event.key === 'ArrowLeft') this.#move(-1);
    else if (event.key.toLowerCase() === 'x' && image) {
      this.#change(image, { excluded: !image.excluded });
    } else return;
    event.preventDefault();
  }

  /**
   * @param {Image} image Which one.
   * @param {import('../lib/types.js').ImageChange} change What to change.
   */
  #change(image, change) {
    void applyChange(image, change, (now) => {
      this.#options.onChange(now);
      if (this.#image?.id !== now.id) return;
      this.#image = now;
      if (this.#dialog.open) this.#draw();
    });
  }

  #draw() {
    const items = this.#options.items();
    const image = this.#image;
    if (!image) return;
    const at = this.#index(items);
    replace(this.#place, at < 0 ? '' : `${String(at + 1)} of ${String(items.length)}`);
    if (this.#stage.dataset['id'] !== image.id) {
      this.#stage.dataset['id'] = image.id;
      replace(
        this.#stage,
        h('img', { src: fileUrl(image.id), alt: image.title ?? image.label ?? 'Image' }),
      );
    }
    const sightings = h('div', { class: 'sightings' });
    replace(
      this.#side,
      this.#controls(image),
      this.#options.extra?.(image),
      imageFacts(image),
      sightings,
    );
    void this.#drawSightings(image.id, sightings);
  }

  /**
   * @param {Image} image Which one.
   * @returns {HTMLElement} Label and exclusion.
   */
  #controls(image) {
    const select = h(
      'select',
      { 'data-testid': 'relabel', onchange: () => this.#change(image, { label: select.value }) },
      image.label === null &&
        h('option', { value: '', selected: true, disabled: true }, 'no label'),
      ...this.#options.labels.map((name) =>
        h('option', { value: name, selected: name === image.label }, name),
      ),
    );
    const exclude = h(
      'button',
      {
        type: 'button',
        class: image.excluded ? 'button primary' : 'button',
        'aria-pressed': String(image.excluded),
        'data-testid': 'exclude',
        onclick: () => this.#change(image, { excluded: !image.excluded }),
      },
      image.excluded ? 'Include again ' : 'Exclude ',
      h('kbd', {}, 'X'),
    );
    return h(
      'div',
      { class: 'row' },
      h('label', { class: 'field inline' }, spoken('Label'), select),
      exclude,
    );
  }

  /**
   * @param {string} id Of the image.
   * @param {HTMLElement} place Filled when the answer comes.
   */
  async #drawSightings(id, place) {
    try {
      const { sightings = [] } = await readImage(id, this.#options.signal);
      if (place.isConnected && sightings.length > 0) replace(place, sightingList(sightings));
    } catch {
      // Sightings are an extra: the image itself is there, and a lost sign-in has been announced.
    }
  }
}

/**
 * Open the loupe.
 * @param {LoupeOptions} options What to show.
 * @returns {Promise<void>} Settled when it is closed.
 */
export function openLoupe(options) {
  return new Loupe(options).show();
}
