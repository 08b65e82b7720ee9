/**
 * One image, large: facts, sightings, relabel, exclude, and on to the next by the arrow keys.
 */
import { h, replace } from '../lib/dom.js';
import { fileUrl, readImage } from '../lib/resources.js';
import { showDialog } from './dialogs.js';
import { applyChange, imageControls } from './image-controls.js';
import { imageFacts, sightingList } from './facts.js';

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

/** The dialog and where in the list it is. */
class Loupe {
  #options;
  /** @type {Image | undefined} */
  #image;
  #at = 0;
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
    // An image that left the list (excluded, say) has given its place to the one after it.
    const next = at < 0 && step > 0 ? this.#at : (at < 0 ? this.#at : at) + step;
    const image = items[next];
    if (!image) return;
    this.#image = image;
    this.#options.onMove?.(next);
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
    if (at >= 0) this.#at = at;
    replace(this.#place, at < 0 ? '' : `${String(at + 1)} of ${String(items.length)}`);
    if (this.#stage.dataset['id'] !== image.id) {
      this.#stage.dataset['id'] = image.id;
      replace(
        this.#stage,
        h('img', { src: fileUrl(image.id), alt: image.title ?? image.label ?? 'Image' }),
      );
    }
    const hadFocus = this.#side.contains(document.activeElement);
    const sightings = h('div', { class: 'sightings' });
    replace(
      this.#side,
      imageControls(image, this.#options.labels, (change) => this.#change(image, change)),
      this.#options.extra?.(image),
      imageFacts(image),
      sightings,
    );
    // Not on the choice of labels, which would swallow the arrow keys.
    /** @type {HTMLElement | null} */
    const exclude = this.#side.querySelector('[data-testid=exclude]');
    if (hadFocus) exclude?.focus();
    void this.#drawSightings(image.id, sightings);
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
