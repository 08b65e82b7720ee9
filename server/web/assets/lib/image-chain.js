/**
 * The pages of a list from one of its ends on: each page's cursor is known only from the page before it.
 */

/** @typedef {import('./types.js').Image} Image */
/** @typedef {import('./types.js').Page<Image>} ImagePage */

/** Images a page: three screens of a large window, and an answer within some ten milliseconds. */
export const PAGE_SIZE = 200;

/** Pages that were read, and the cursors of all up to the farthest one. */
export class Chain {
  /** How many images there are to the end, once it has been reached. @type {number | null} */
  length = null;
  /** @type {(string | null)[]} */
  #cursors = [null];
  /** @type {Map<number, Image[]>} */
  #pages = new Map();

  /** @param {boolean} isReversed Whether it is counted from the list's end. */
  constructor(isReversed) {
    this.isReversed = isReversed;
  }

  /** @returns {number} Pages held. */
  get size() {
    return this.#pages.size;
  }

  /** @returns {Chain} The same cursors and nothing read; they are checked as pages arrive. */
  withoutPages() {
    const chain = new Chain(this.isReversed);
    chain.#cursors = [...this.#cursors];
    return chain;
  }

  /**
   * @param {number} index Counted from this end.
   * @returns {Image | undefined} What stands there, if it is held.
   */
  at(index) {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE];
  }

  /**
   * @param {number} index Counted from this end.
   * @returns {boolean} Whether its page is held, or known not to exist.
   */
  holds(index) {
    if (index < 0) return false;
    return this.#pages.has(Math.floor(index / PAGE_SIZE)) || index >= (this.length ?? Infinity);
  }

  /**
   * @param {string} id Of an image.
   * @returns {number} Where it stands counted from this end; -1 when it is not held.
   */
  indexOf(id) {
    for (const [number, images] of this.#pages) {
      const at = images.findIndex((image) => image.id === id);
      if (at >= 0) return number * PAGE_SIZE + at;
    }
    return -1;
  }

  /**
   * @param {number} index Counted from this end.
   * @returns {number} How many pages must be read until it is held.
   */
  distance(index) {
    return Math.max(1, Math.floor(index / PAGE_SIZE) - this.#cursors.length + 2);
  }

  /**
   * @param {number} index Counted from this end.
   * @returns {{number: number, cursor: string | null}} Its page, or the farthest on the way whose cursor is known.
   */
  nextTowards(index) {
    const number = Math.min(Math.floor(index / PAGE_SIZE), this.#cursors.length - 1);
    return { number, cursor: this.#cursors[number] ?? null };
  }

  /**
   * @param {number} number Which page.
   * @param {ImagePage} answer What it holds.
   */
  put(number, { items, next_cursor }) {
    this.#pages.set(number, items);
    if (next_cursor === null) {
      this.length = number * PAGE_SIZE + items.length;
      this.#forget(number + 1);
    } else if (this.#cursors[number + 1] !== next_cursor) {
      // The list has changed since: what was known beyond this page no longer joins it.
      this.length = null;
      this.#forget(number + 1);
      this.#cursors.push(next_cursor);
    }
  }

  /** @param {number} number Let go of. */
  drop(number) {
    this.#pages.delete(number);
  }

  /**
   * @param {number} middle An index, counted from this end.
   * @param {number} kept A page that is passed over.
   * @returns {{number: number, distance: number}} The held page that is farthest from it; distance -1 for none.
   */
  farthest(middle, kept) {
    let found = { number: -1, distance: -1 };
    for (const number of this.#pages.keys()) {
      const distance = Math.abs((number + 0.5) * PAGE_SIZE - middle);
      if (number !== kept && distance > found.distance) found = { number, distance };
    }
    return found;
  }

  /** @param {number} from The first page that is no longer known. */
  #forget(from) {
    this.#cursors.length = from;
    for (const number of this.#pages.keys()) if (number >= from) this.#pages.delete(number);
  }
}
