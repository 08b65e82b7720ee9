/**
 * A list of up to a hundred thousand images of which only some pages are held. The server's pages go by cursor, so
 * they are walked from whichever end is nearer: from the first on, or from the last back by the reverse order.
 */
import { keepNewest } from './bounded-map.js';
import { Chain, PAGE_SIZE } from './image-chain.js';

/** @typedef {import('./types.js').Image} Image */
/** @typedef {import('./types.js').Page<Image>} ImagePage */
/** @typedef {(query: {cursor: string | null, limit: number, isReversed: boolean}) => Promise<ImagePage>} Load */

/** Pages held at once: some 8,000 images, 10 MB, enough for the way back to be there. */
const MAX_PAGES = 40;
/** Images whose newest state is remembered although an older page may still arrive. */
const MAX_LOCAL = 20_000;

/** The list, and the part of it that is wanted now. */
export class ImageList {
  /** How many images the whole list has; null until the first answer. @type {number | null} */
  total = null;
  #load;
  #onChange;
  #onError;
  #forward = new Chain(false);
  #backward = new Chain(true);
  /** How long the list was when its end was last read: what has come since stands behind that. */
  #backTotal = 0;
  /** What was shown before a refresh stands until its successor is here. @type {((index: number) => Image | undefined) | null} */
  #former = null;
  #wanted = { first: 0, end: 1 };
  #isWalking = false;
  #generation = 0;
  /** Changes made here, by id: they hold until the server tells a newer version. @type {Map<string, Image>} */
  #local = new Map();

  /**
   * @param {{load: Load, onChange: () => void, onError: (error: unknown) => void}} options Where pages come from, and whom
   *   to tell of new ones and of failures.
   */
  constructor({ load, onChange, onError }) {
    this.#load = load;
    this.#onChange = onChange;
    this.#onError = onError;
  }

  /**
   * @param {number} index A place in the list.
   * @returns {Image | undefined} What stands there, if it is held.
   */
  at(index) {
    const total = this.total ?? 0;
    if (index < 0 || index >= total) return undefined;
    const image =
      this.#forward.at(index) ??
      this.#backward.at(this.#backTotal - 1 - index) ??
      this.#former?.(index);
    return image && this.#newest(image);
  }

  /**
   * @param {string} id Of an image.
   * @returns {number} Where it stands, if it is held; -1 else.
   */
  indexOf(id) {
    const ahead = this.#forward.indexOf(id);
    if (ahead >= 0 || this.total === null) return ahead;
    const back = this.#backward.indexOf(id);
    return back < 0 ? -1 : this.#backTotal - 1 - back;
  }

  /**
   * Say which part is to be there; pages that are missing are asked for one after the other.
   * @param {number} first Its first index.
   * @param {number} end The index after its last.
   */
  want(first, end) {
    this.#wanted = { first: Math.max(0, first), end: Math.max(first + 1, end) };
    void this.#walk();
  }

  /** Read the wanted part again, showing what there was until the answers are here. */
  refresh() {
    this.#generation += 1;
    const [forward, backward, total] = [this.#forward, this.#backward, this.#backTotal];
    this.#former = (index) => forward.at(index) ?? backward.at(total - 1 - index);
    this.#forward = forward.withoutPages();
    this.#backward = backward.withoutPages();
    void this.#walk();
  }

  /**
   * Show these as they are now; a page that was read before they changed does not undo that.
   * @param {Image[]} images With their new versions.
   */
  replace(images) {
    for (const image of images) {
      this.#local.delete(image.id);
      this.#local.set(image.id, image);
    }
    keepNewest(this.#local, MAX_LOCAL);
    this.#onChange();
  }

  /**
   * Read a part whole, for a selection of what is not on the screen.
   * @param {number} first Its first index.
   * @param {number} end The index after its last.
   * @param {AbortSignal} signal Ends it.
   * @returns {Promise<Image[]>} Its images in their order.
   */
  async collect(first, end, signal) {
    /** @type {Image[]} */
    const found = [];
    const start = Math.max(0, first);
    for (let index = start; index < Math.min(end, this.total ?? 0); index += 1) {
      // Each step brings a page, so that it ends at the latest with the list.
      while (!this.#isHeld(index) && !signal.aborted) await this.#step(index);
      if (signal.aborted) break;
      const image = this.at(index);
      if (image) found.push(image);
    }
    return found;
  }

  /**
   * @param {Image} image From a page.
   * @returns {Image} The same, or what is known to be newer.
   */
  #newest(image) {
    const local = this.#local.get(image.id);
    return local && (local.version ?? 0) >= (image.version ?? 0) ? local : image;
  }

  /** @returns {number | null} The first wanted index that is not held. */
  #missing() {
    const end = Math.min(this.#wanted.end, this.total ?? 1);
    for (let index = this.#wanted.first; index < end; index += 1) {
      if (!this.#isHeld(index)) return index;
    }
    return this.total === null ? 0 : null;
  }

  /**
   * @param {number} index A place in the list.
   * @returns {boolean} Whether its page is held, not counting what stood there before a refresh.
   */
  #isHeld(index) {
    return this.#forward.holds(index) || this.#backward.holds(this.#backTotal - 1 - index);
  }

  async #walk() {
    if (this.#isWalking) return;
    this.#isWalking = true;
    try {
      for (let index = this.#missing(); index !== null; index = this.#missing()) {
        await this.#step(index);
      }
      this.#former = null;
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#isWalking = false;
    }
    this.#onChange();
  }

  /**
   * Bring `index` nearer by pages until it is held, or until something else is wanted.
   * @param {number} index A place in the list.
   */
  async #step(index) {
    const isBack = this.#isBackNearer(index);
    const chain = isBack ? this.#backward : this.#forward;
    const page = chain.nextTowards(isBack ? this.#backTotal - 1 - index : index);
    const generation = this.#generation;
    const answer = await this.#load({
      cursor: page.cursor,
      limit: PAGE_SIZE,
      isReversed: isBack,
    });
    if (generation !== this.#generation) return;
    this.#take(chain, page.number, answer);
  }

  /**
   * @param {number} index A place in the list.
   * @returns {boolean} Whether fewer pages lie between it and the end than between it and the beginning.
   */
  #isBackNearer(index) {
    if (this.total === null) return false;
    const isMoved = this.total !== this.#backTotal;
    if (isMoved && index >= Math.min(this.total, this.#backTotal) - PAGE_SIZE) {
      // The end itself is wanted, and it is no longer where it was.
      this.#backward = new Chain(true);
      this.#backTotal = this.total;
    }
    const fromEnd = this.#backTotal - 1 - index;
    return fromEnd >= 0 && this.#backward.distance(fromEnd) < this.#forward.distance(index);
  }

  /**
   * @param {Chain} chain Which end it was asked from.
   * @param {number} number Which page of it.
   * @param {ImagePage} answer The server's.
   */
  #take(chain, number, answer) {
    // What comes from the very end says where that is.
    if (this.total === null || (chain === this.#backward && number === 0)) {
      this.#backTotal = answer.total;
    }
    this.total = answer.total;
    chain.put(number, answer);
    const ended = this.#forward.length;
    // The list was shorter than it said: images left it between two answers.
    if (ended !== null && ended !== this.total) this.total = ended;
    this.#trim(chain, number);
    this.#onChange();
  }

  /**
   * @param {Chain} chain Whose page has just come.
   * @param {number} number That page, which is not let go of however far it is.
   */
  #trim(chain, number) {
    const middle = (this.#wanted.first + this.#wanted.end) / 2;
    while (this.#forward.size + this.#backward.size > MAX_PAGES) {
      const ahead = this.#forward.farthest(middle, chain === this.#forward ? number : -1);
      const back = this.#backward.farthest(
        this.#backTotal - 1 - middle,
        chain === this.#backward ? number : -1,
      );
      if (ahead.distance >= back.distance) this.#forward.drop(ahead.number);
      else this.#backward.drop(back.number);
    }
  }
}
