/**
 * One image, large: facts, sightings, history, the same keys as in the grid, and on to the next by the arrow keys.
 */
import { h, replace } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { commandFor, isHeldDecision, isTyping } from '../lib/keymap.js';
import { fileUrl } from '../lib/resources.js';
import { showDialog } from './dialogs.js';
import { imageFacts } from './facts.js';
import { imageControls, replaceControls } from './image-controls.js';
import { drawStory, qualityFacts } from './image-story.js';
import { loadingNote } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/keymap.js').Command} Command */
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
 * @property {Labelling['run']} [run] What a command does, where it means more than to the labelling.
 */

/** The dialog and where in the list it is. */
class Loupe {
  #options;
  #at;
  /** @type {Image | undefined} */
  #image;
  #stage = h('div', { class: 'loupe-stage', tabindex: -1 });
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
  }

  /** Show it until it is closed. */
  async show() {
    const end = new AbortController();
    this.#options.labelling.listen({ onImages: (images) => this.#follow(images) }, end.signal);
    // Not of the dialog alone: what had the keyboard may be gone from it, such as the button of a toast.
    document.addEventListener('keydown', (event) => this.#onKey(event), { signal: end.signal });
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

  /** @param {KeyboardEvent} event Anywhere: beside an open dialog nothing else takes keys. */
  #onKey(event) {
    if (isTyping(event.target)) return;
    if (event.key === 'ArrowRight') this.#move(1);
    else if (event.key === 'ArrowLeft') this.#move(-1);
    else {
      const command = commandFor(event, this.#options.labelling.keys);
      if (command === null) return;
      if (!isHeldDecision(event, command)) {
        const done = this.#run(command);
        if (done === null) return;
        if (done === 'on') this.#move(1);
      }
    }
    event.preventDefault();
  }

  /**
   * @param {Command} command From a key or a button.
   * @returns {ReturnType<Labelling['run']>} What became of it.
   */
  #run(command) {
    const { labelling, run } = this.#options;
    const images = this.#image ? [this.#image] : [];
    return run ? run(command, images) : labelling.run(command, images);
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
    this.#holdKeyboard();
  }

  /** Nothing outside of the dialog can be reached: the picture takes the keyboard where what had it is gone. */
  #holdKeyboard() {
    if (this.#dialog.open && !this.#dialog.contains(document.activeElement)) this.#stage.focus();
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
    replaceControls(
      this.#side,
      imageControls(image, labelling.labels, (command) => void this.#run(command)),
      extra?.(image),
      imageFacts(image),
      qualityFacts(image),
      this.#story,
    );
    this.#holdKeyboard();
    void drawStory(image.id, this.#story, signal).then(() => this.#holdKeyboard());
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
