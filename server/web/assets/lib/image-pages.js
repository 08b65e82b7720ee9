/**
 * The pages of a list that are held, each by its number. A page is asked for by the cursor that the one before it gave,
 * or by how many images stand before it: so any place is one request away.
 */

/** @typedef {import('./types.js').Image} Image */
/** @typedef {import('./types.js').Page<Image>} ImagePage */

/** Images a page: three screens of a large window, and an answer within some ten milliseconds. */
export const PAGE_SIZE = 200;
/** The server passes over so many at the most; what stands beyond is reached by cursors from there. */
const MAX_SKIP = 1_000_000;

/** Pages that were read, and the cursors that they gave. */
export class ImagePages {
  /** How many images there are to the end, once it has been reached. @type {number | null} */
  length = null;
  /** By the number of the page that begins there. @type {Map<number, string>} */
  #cursors = new Map();
  /** @type {Map<number, Image[]>} */
  #pages = new Map();

  /** @returns {number} Pages held. */
  get size() {
    return this.#pages.size;
  }

  /**
   * @param {number} index In the list.
   * @returns {Image | undefined} What stands there, if it is held.
   */
  at(index) {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE];
  }

  /**
   * @param {number} index In the list.
   * @returns {boolean} Whether its page is held, or known not to exist.
   */
  holds(index) {
    return this.#pages.has(Math.floor(index / PAGE_SIZE)) || index >= (this.length ?? Infinity);
  }

  /**
   * @param {string} id Of an image.
   * @returns {number} Where it stands; -1 when it is not held.
   */
  indexOf(id) {
    for (const [number, images] of this.#pages) {
      const at = images.findIndex((image) => image.id === id);
      if (at >= 0) return number * PAGE_SIZE + at;
    }
    return -1;
  }

  /**
   * @param {number} index In the list.
   * @returns {{number: number, cursor: string | null, skip: number}} Its page, or the farthest on the way that can be
   *   asked for, and how: by its cursor, else by what stands before it.
   */
  nextTowards(index) {
    const wanted = Math.floor(index / PAGE_SIZE);
    let number = Math.min(wanted, MAX_SKIP / PAGE_SIZE);
    for (const known of this.#cursors.keys()) {
      if (known <= wanted && known > number) number = known;
    }
    const cursor = this.#cursors.get(number) ?? null;
    return { number, cursor, skip: cursor === null ? number * PAGE_SIZE : 0 };
  }

  /**
   * @param {number} number Which page.
   * @param {ImagePage} answer What it holds.
   */
  put(number, { items, next_cursor }) {
    this.#pages.set(number, items);
    const known = this.#cursors.get(number + 1);
    if (next_cursor === null) {
      this.length = number * PAGE_SIZE + items.length;
      this.#forget(number + 1);
      return;
    }
    const isLonger = this.length !== null && (number + 1) * PAGE_SIZE >= this.length;
    if (isLonger || (known !== undefined && known !== next_cursor)) {
      // The list has changed since: what was known beyond this page no longer joins it.
      this.length = null;
      this.#forget(number + 1);
    }
    this.#cursors.set(number + 1, next_cursor);
  }

  /** @param {number} number Let go of. */
  drop(number) {
    this.#pages.delete(number);
  }

  /**
   * @param {number} middle An index in the list.
   * @param {number} kept A page that is passed over.
   * @returns {number} The held page that is farthest from it; -1 for none.
   */
  farthest(middle, kept) {
    let found = { number: -1, distance: -1 };
    for (const number of this.#pages.keys()) {
      const distance = Math.abs((number + 0.5) * PAGE_SIZE - middle);
      if (number !== kept && distance > found.distance) found = { number, distance };
    }
    return found.number;
  }

  /** @param {ImagePages} former Whose pages are taken over where there is none here. */
  fillFrom(former) {
    for (const [number, images] of former.#pages) {
      if (!this.#pages.has(number)) this.#pages.set(number, images);
    }
  }

  /** @param {number} from The first page that is no longer known. */
  #forget(from) {
    for (const number of this.#cursors.keys()) if (number >= from) this.#cursors.delete(number);
    for (const number of this.#pages.keys()) if (number >= from) this.#pages.delete(number);
  }
}
