/**
 * One image, large: facts, sightings, history, the same keys as in the grid, and on to the next by the arrow keys.
 */
import { h, replace } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { commandFor, isTyping } from '../lib/keymap.js';
import { fileUrl } from '../lib/resources.js';
import { showDialog } from './dialogs.js';
import { imageFacts } from './facts.js';
import { imageControls } from './image-controls.js';
import { drawStory, qualityFacts } from './image-story.js';
import { loadingNote } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('./labelling.js').Labelling} Labelling */

/**
 * The images one can walk through; the list may change and grow meanwhile, and hold only a part of itself.
 * @typedef {{total: () => number, at: (index: number) => Image | undefined}} LoupeSource
 */

/**
 * @typedef {object} LoupeOptions
 * @property {LoupeSource} source What to walk through.
 * @property {number} index Where to start.
 * @property {Labelling} labelling What keys and buttons change.
 * @property {AbortSignal} signal Of the page.
 * @property {(index: number) => void} [onMove] Told of each step, before the image is asked for.
 * @property {(image: Image) => HTMLElement | null} [extra] More to say about an image.
 */

/** The dialog and where in the list it is. */
class Loupe {
  #options;
  #at;
  /** @type {Image | undefined} */
  #image;
  #stage = h('div', { class: 'loupe-stage' });
  #side = h('div', { class: 'loupe-side stack' });
  #story = h('div', { class: 'stack' });
  #place = h('span', { class: 'muted tabular', 'aria-live': 'polite', 'data-testid': 'place' });
  #dialog = h('dialog', { class: 'loupe', 'aria-label': 'Image', 'data-testid': 'loupe' });

  /** @param {LoupeOptions} options What to show. */
  constructor(options) {
    this.#options = options;
    this.#at = options.index;
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
    const end = new AbortController();
    this.#options.labelling.listen({ onImages: (images) => this.#follow(images) }, end.signal);
    this.update();
    await showDialog(this.#dialog, this.#options.signal);
    end.abort();
  }

  /** Show what stands at this place now, as when its page has arrived. */
  update() {
    const image = this.#options.source.at(this.#at);
    if (image && image.id !== this.#image?.id) this.#draw(image);
    else if (!image) this.#drawWaiting();
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
    const { source, onMove } = this.#options;
    const next = this.#at + step;
    if (next < 0 || next >= source.total()) return;
    this.#at = next;
    this.#image = undefined;
    onMove?.(next);
    this.update();
  }

  /** @param {Image[]} images As they are now. */
  #follow(images) {
    const now = images.find((image) => image.id === this.#image?.id);
    if (now && this.#dialog.isConnected) this.#draw(now);
  }

  /** @param {KeyboardEvent} event Anywhere in the dialog. */
  #onKey(event) {
    if (isTyping(event.target)) return;
    if (event.key === 'ArrowRight') this.#move(1);
    else if (event.key === 'ArrowLeft') this.#move(-1);
    else if (!this.#run(commandFor(event, this.#options.labelling.keys))) return;
    event.preventDefault();
  }

  /**
   * @param {import('../lib/keymap.js').Command | null} command From a key.
   * @returns {boolean} Whether it means something here.
   */
  #run(command) {
    if (!command) return false;
    const done = this.#options.labelling.run(command, this.#image ? [this.#image] : []);
    if (done === 'on') this.#move(1);
    return done !== null;
  }

  #drawPlace() {
    const total = this.#options.source.total();
    replace(this.#place, `${count(this.#at + 1)} of ${count(total)}`);
  }

  #drawWaiting() {
    this.#drawPlace();
    delete this.#stage.dataset['id'];
    replace(this.#stage, loadingNote());
    replace(this.#side);
  }

  /** @param {Image} image Which one; drawn again when it has changed. */
  #draw(image) {
    const { labelling, extra, signal } = this.#options;
    this.#image = image;
    this.#drawPlace();
    const isOther = this.#stage.dataset['id'] !== image.id;
    if (isOther) {
      this.#stage.dataset['id'] = image.id;
      const alt = [image.label ?? 'no label', image.title].filter(Boolean).join(', ');
      replace(this.#stage, h('img', { src: fileUrl(image.id), alt }));
      replace(this.#story);
    }
    const focused = this.#side.contains(document.activeElement)
      ? document.activeElement?.getAttribute('data-testid')
      : null;
    replace(
      this.#side,
      imageControls(
        image,
        labelling.labels,
        (change) => void labelling.actions.apply([image], change),
      ),
      extra?.(image),
      imageFacts(image),
      qualityFacts(image),
      this.#story,
    );
    // Not on the choice of labels, which would swallow the keys.
    const testId = focused === 'relabel' ? 'exclude' : focused;
    /** @type {HTMLElement | null} */
    const target = testId ? this.#side.querySelector(`[data-testid=${testId}]`) : null;
    target?.focus();
    void drawStory(image.id, this.#story, signal);
  }
}

/**
 * Open the loupe.
 * @param {LoupeOptions} options What to show.
 * @returns {{closed: Promise<void>, update: () => void}} Settled when it is closed; `update` when the list has changed.
 */
export function openLoupe(options) {
  const loupe = new Loupe(options);
  return { closed: loupe.show(), update: () => loupe.update() };
}
