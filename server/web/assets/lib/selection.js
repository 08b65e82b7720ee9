/**
 * Which images are selected. Kept by id with their newest known state, so that it outlives scrolling and filters.
 */

/** @typedef {import('./types.js').Image} Image */

/** More than this is no selection by hand, and its ids alone are a request of 300 kB. */
export const MAX_SELECTION = 10_000;

/** The selection, and whom to tell when it changes. */
export class Selection {
  /** @type {Map<string, Image>} */
  #chosen = new Map();
  #onChange;

  /** @param {() => void} onChange Told after each change. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @returns {number} How many are selected. */
  get size() {
    return this.#chosen.size;
  }

  /** @returns {Image[]} In the order in which they were selected. */
  get images() {
    return [...this.#chosen.values()];
  }

  /**
   * @param {string} id Of an image.
   * @returns {boolean} Whether it is selected.
   */
  has(id) {
    return this.#chosen.has(id);
  }

  /** @param {Image} image Selected if it is not, else let go of. */
  toggle(image) {
    if (!this.#chosen.delete(image.id)) this.#add([image]);
    this.#onChange();
  }

  /**
   * @param {Image[]} images Selected in place of what was.
   */
  set(images) {
    this.#chosen.clear();
    this.#add(images);
    this.#onChange();
  }

  /** @param {Image[]} images Selected as well. */
  add(images) {
    this.#add(images);
    this.#onChange();
  }

  /** Let go of all; told even when there is nothing, so that what is still being collected is not selected after it. */
  clear() {
    this.#chosen.clear();
    this.#onChange();
  }

  /** @param {Image[]} images As they are now; those that are not selected are passed over. */
  replace(images) {
    for (const image of images) if (this.#chosen.has(image.id)) this.#chosen.set(image.id, image);
  }

  /** @param {Image[]} images As many of them as fit. */
  #add(images) {
    for (const image of images) {
      if (this.#chosen.size >= MAX_SELECTION) return;
      this.#chosen.set(image.id, image);
    }
  }
}
