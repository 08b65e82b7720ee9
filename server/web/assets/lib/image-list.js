/**
 * A list of up to a million images of which only some pages are held: those near what is wanted.
 */
import { keepNewest } from './bounded-map.js';
import { ImagePages, PAGE_SIZE } from './image-pages.js';

/** @typedef {import('./types.js').Image} Image */
/** @typedef {import('./types.js').Page<Image>} ImagePage */
/** @typedef {(query: {cursor: string | null, skip: number, limit: number}) => Promise<ImagePage>} Load */

/** Pages held at once: some 8,000 images, 10 MB, enough for the way back to be there. */
const MAX_PAGES = 40;
/**
 * Images beyond the wanted part that are read once it is there: who labels ten a second reaches them after some ten
 * seconds, and finds them.
 */
const AHEAD = PAGE_SIZE / 2;
/** Images whose newest state is remembered although an older page may still arrive. */
const MAX_LOCAL = 20_000;

/** The list, and the part of it that is wanted now. */
export class ImageList {
  /** How many images the whole list has; null until the first answer. @type {number | null} */
  total = null;
  #load;
  #onChange;
  #onError;
  #pages = new ImagePages();
  /** What was shown before a refresh stands until its successor is here. @type {ImagePages | null} */
  #former = null;
  #wanted = { first: 0, end: 1 };
  #isWalking = false;
  /** A refresh was asked for while answers were under way. */
  #isStale = false;
  #hasFailed = false;
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

  /** @returns {boolean} Whether a page of the wanted part could not be read; it is not asked for again by itself. */
  get hasFailed() {
    return this.#hasFailed;
  }

  /**
   * @param {number} index A place in the list.
   * @returns {Image | undefined} What stands there, if it is held.
   */
  at(index) {
    const total = this.total ?? 0;
    if (index < 0 || index >= total) return undefined;
    const image = this.#pages.at(index) ?? this.#former?.at(index);
    return image && this.#newest(image);
  }

  /**
   * @param {string} id Of an image.
   * @returns {number} Where it stands, if it is held; -1 else.
   */
  indexOf(id) {
    return this.#pages.indexOf(id);
  }

  /**
   * Say which part is to be there; pages that are missing are asked for one after the other. Each drawing says so: what
   * has failed is asked for again only by {@link refresh}, or on the way to another part.
   * @param {number} first Its first index.
   * @param {number} end The index after its last.
   */
  want(first, end) {
    const former = this.#wanted;
    this.#wanted = { first: Math.max(0, first), end: Math.max(first + 1, end) };
    const isSame = former.first === this.#wanted.first && former.end === this.#wanted.end;
    if (!isSame) this.#hasFailed = false;
    void this.#walk();
  }

  /**
   * Read the wanted part again, showing what there was until the answers are here. While one is read, the next waits for
   * its end: were its answers thrown away, a list that changes faster than it is read would never be there.
   */
  refresh() {
    this.#hasFailed = false;
    if (this.#isWalking) {
      this.#isStale = true;
      return;
    }
    this.#generation += 1;
    const former = this.#pages;
    // A refresh after one that has not been read whole: what had not come yet still stands as it was before both.
    if (this.#former) former.fillFrom(this.#former);
    this.#trim(former);
    this.#former = former;
    this.#pages = new ImagePages();
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
      while (!this.#pages.holds(index) && !signal.aborted) await this.#step(index);
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

  /** @returns {number | null} The first index that is not held, of the wanted part and what is read ahead of it. */
  #missing() {
    const end = Math.min(this.#wanted.end + AHEAD, this.total ?? 1);
    for (let index = this.#wanted.first; index < end; index += 1) {
      if (!this.#pages.holds(index)) return index;
    }
    return this.total === null ? 0 : null;
  }

  async #walk() {
    if (this.#isWalking || this.#hasFailed) return;
    this.#isWalking = true;
    try {
      for (let index = this.#missing(); index !== null; index = this.#missing()) {
        await this.#step(index);
      }
    } catch (error) {
      // What is to be read again anyhow has not failed yet.
      this.#hasFailed = !this.#isStale;
      if (this.#hasFailed) this.#onError(error);
    } finally {
      this.#isWalking = false;
    }
    if (this.#isStale) {
      this.#isStale = false;
      this.refresh();
      return;
    }
    if (this.#hasFailed || this.#former === null) return;
    // Told only then: to be told of nothing new makes a view draw, ask for what it has, and be told again, for ever.
    this.#former = null;
    this.#onChange();
  }

  /**
   * Bring the page of `index`, or one on the way there.
   * @param {number} index A place in the list.
   */
  async #step(index) {
    const { number, cursor, skip } = this.#pages.nextTowards(index);
    const generation = this.#generation;
    const isOutdated = () => generation !== this.#generation;
    const answer = await this.#load({ cursor, skip, limit: PAGE_SIZE }).catch((error) => {
      if (isOutdated()) return null;
      throw error;
    });
    if (answer === null || isOutdated()) return;
    this.total = answer.total;
    this.#pages.put(number, answer);
    const ended = this.#pages.length;
    // The list was shorter than it said: images left it between two answers.
    if (ended !== null && ended !== this.total) this.total = Math.min(ended, this.total);
    this.#trim(this.#pages, number);
    this.#onChange();
  }

  /**
   * @param {ImagePages} pages Made no more than may be held.
   * @param {number} [kept] The page that has just come, which is not let go of however far it is.
   */
  #trim(pages, kept = -1) {
    const middle = (this.#wanted.first + this.#wanted.end) / 2;
    while (pages.size > MAX_PAGES) pages.drop(pages.farthest(middle, kept));
  }
}
