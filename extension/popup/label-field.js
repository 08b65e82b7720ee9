/** The label: typed, or taken from those that the dataset has. */
import { textCount } from '../lib/text.js';
import { byId, make } from '../ui/dom.js';

/** A dataset may have hundreds; typing narrows them down. */
const MAX_OFFERED = 50;

/** @typedef {{name: string, count: number}} KnownLabel */

/** Runs the field and the list below it. */
export class LabelField {
  constructor() {
    this.input = byId('label', HTMLInputElement);
    this.list = byId('labels', HTMLElement);
    /** @type {KnownLabel[]} The dataset's, those with the most images first. */
    this.labels = [];
    /** Whether the person chose what the field holds, which nothing then replaces. */
    this.isTyped = false;
    this.input.addEventListener('input', () => {
      this.isTyped = this.input.value !== '';
      this.#open(this.#match());
    });
    this.input.addEventListener('keydown', (event) => this.#onKey(event));
    this.input.addEventListener('blur', () => this.#close());
    // Before the field loses the focus, and with it the list.
    this.list.addEventListener('pointerdown', (event) => this.#onPointer(event));
  }

  /** @returns {string} What is typed. */
  get value() {
    return this.input.value.trim();
  }

  /** @returns {string[]} The labels that the dataset has. */
  get names() {
    return this.labels.map(({ name }) => name);
  }

  /** @param {Record<string, {total: number}>} labels The dataset's labels with their images. */
  offer(labels) {
    this.labels = Object.entries(labels)
      .map(([name, { total }]) => ({ name, count: total }))
      .sort((a, b) => b.count - a.count || a.name.localeCompare(b.name));
    // Somebody may be typing already, and waits for what there is.
    const isTyping = this.isTyped && document.activeElement === this.input;
    this.#open(isTyping ? this.#match() : []);
  }

  /** @param {string} label What to put in, unless the person has typed something. */
  propose(label) {
    if (!this.isTyped) this.input.value = label;
  }

  /** @returns {KnownLabel[]} Those that hold what is typed; none once it is one of them. */
  #match() {
    const typed = this.value.toLocaleLowerCase();
    const matching = this.labels.filter(({ name }) => name.toLocaleLowerCase().includes(typed));
    return matching.some(({ name }) => name === this.value) ? [] : matching;
  }

  /** @param {KnownLabel[]} labels What to list; nothing closes the list. */
  #open(labels) {
    if (labels.length === 0) return this.#close();
    this.list.replaceChildren(...labels.slice(0, MAX_OFFERED).map(makeOption));
    this.list.hidden = false;
    this.input.setAttribute('aria-expanded', 'true');
    this.#select(null);
  }

  /** Put the list away. */
  #close() {
    this.list.hidden = true;
    this.list.replaceChildren();
    this.input.setAttribute('aria-expanded', 'false');
    this.input.removeAttribute('aria-activedescendant');
  }

  /** @returns {Element[]} What is listed. */
  get #options() {
    return [...this.list.children];
  }

  /** @param {Element | null} option Which one a press of Enter takes. */
  #select(option) {
    for (const each of this.#options) each.setAttribute('aria-selected', String(each === option));
    if (option === null) return this.input.removeAttribute('aria-activedescendant');
    this.input.setAttribute('aria-activedescendant', option.id);
    option.scrollIntoView({ block: 'nearest' });
  }

  /** @param {Element} option What to take. */
  #take(option) {
    this.input.value = option.getAttribute('data-label') ?? '';
    this.isTyped = true;
    this.#close();
  }

  /** @param {KeyboardEvent} event Moves in the list, takes from it, or puts it away. */
  #onKey(event) {
    const place = this.#options.findIndex((each) => each.ariaSelected === 'true');
    const acts = this.list.hidden ? this.#closedKeys() : this.#openKeys(place);
    const act = acts.get(event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  /** @returns {Map<string, () => void>} What keys do while nothing is listed. */
  #closedKeys() {
    return new Map([['ArrowDown', () => this.#open(this.labels)]]);
  }

  /**
   * Say what keys do in the list.
   *
   * @param {number} place Where the keyboard is; -1 while it is in the field alone.
   * @returns {Map<string, () => void>} What each does; the field does what others do.
   */
  #openKeys(place) {
    const options = this.#options;
    const acts = new Map([
      ['ArrowDown', () => this.#select(options[place + 1] ?? null)],
      ['ArrowUp', () => this.#select(options.at(place === -1 ? -1 : place - 1) ?? null)],
      ['Escape', () => this.#close()],
    ]);
    const chosen = options[place];
    if (chosen !== undefined) acts.set('Enter', () => this.#take(chosen));
    return acts;
  }

  /** @param {PointerEvent} event A press on the list. */
  #onPointer(event) {
    const { target } = event;
    event.preventDefault();
    const option = target instanceof Element ? target.closest('[data-label]') : null;
    if (option !== null) this.#take(option);
  }
}

/**
 * Make an entry of the list.
 *
 * @param {KnownLabel} label What it offers.
 * @param {number} place Its place.
 * @returns {HTMLElement} The entry.
 */
function makeOption({ name, count }, place) {
  return make(
    'li',
    { role: 'option', id: `label-${place}`, 'data-label': name, 'data-testid': 'label-option' },
    make('span', {}, name),
    make('span', { class: 'soft' }, textCount('images', count)),
  );
}
