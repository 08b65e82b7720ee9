/** Marks on the tiles of a page: what the dataset has, and what the person leaves out by a click. */
import { text } from '../../lib/text.js';
import { Knowledge } from './knowledge.js';
import { Layer } from './layer.js';
import { lookOf } from './look.js';
import { findZIndex, measure } from './place.js';
import { Rover } from './rover.js';
import { TileWatcher } from './tiles.js';

/** @typedef {import('../../lib/page-messages.js').Held} Held */
/** @typedef {import('../../lib/types.js').Candidate} Candidate */
/** @typedef {import('./layer.js').Mark} Mark */
/** @typedef {import('./place.js').Box} Box */

/** How often the marks come back into a page that removes them. */
const MAX_REATTACH = 20;

/**
 * @typedef {object} OverlayParts
 * @property {Document} document The page.
 * @property {() => Map<Element, Candidate>} locate Reads it.
 * @property {import('./left-out.js').LeftOut} leftOut What the person left out.
 * @property {import('./questions.js').Questions} questions Asks the model.
 * @property {() => void} onRead Told when the page has been read.
 * @property {(urls: string[]) => Promise<import('../../lib/page-messages.js').HeldAt[] | null>} ask
 *   Asks what the dataset has; null when nobody answers.
 * @property {() => boolean} isAlive Whether the extension still runs that these marks are of.
 * @property {(url: string, isExcluded: boolean) => Promise<Held | null | undefined>} exclude Excludes
 *   an image that the dataset has, or takes it back; says how it is then, nothing when that failed.
 */

/** Shows marks from its making until it is removed. */
export class Overlay {
  /** @param {OverlayParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
    this.layer = new Layer(parts.document);
    this.knowledge = new Knowledge({ ask: parts.ask, onAnswer: () => this.#plan() });
    this.watcher = new TileWatcher({
      document: parts.document,
      locate: parts.locate,
      onTiles: () => this.#onTiles(),
      onMove: () => this.#plan(),
    });
    /** @type {Map<Element, Mark>} Marks that are shown. */
    this.marks = new Map();
    this.rover = new Rover({
      layer: this.layer,
      listTiles: () => [...this.watcher.tiles.keys()],
      onMove: () => this.#plan(),
    });
    /** @type {Set<string>} Addresses whose change is on its way. */
    this.busy = new Set();
    /** @type {number | undefined} */
    this.frame = undefined;
    this.reattachCount = 0;
    this.layer.attach();
    this.watcher.start();
  }

  /** Ask again for everything: the dataset is another one, or has changed. */
  refresh() {
    this.knowledge.askAgain();
  }

  /** Show what has changed elsewhere. */
  redraw() {
    this.#plan();
  }

  /** Put the keyboard's focus on the marks. */
  focus() {
    this.rover.focus();
  }

  /** Leave no trace in the page. */
  remove() {
    this.watcher.stop();
    this.knowledge.stop();
    this.parts.questions.want([]);
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    this.frame = undefined;
    this.marks.clear();
    this.layer.remove();
  }

  /** The page has been read. */
  #onTiles() {
    const [first] = this.watcher.tiles.keys();
    if (first !== undefined) this.layer.raise(findZIndex(first));
    this.knowledge.offer([...this.watcher.tiles.values()].map(({ url }) => url));
    this.parts.onRead();
    this.#plan();
  }

  /** Draw with the next frame, however often this is called until then. */
  #plan() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.#draw();
    });
  }

  /** Bring the marks up to date: first all reading of the page's layout, then all writing. */
  #draw() {
    if (!this.layer.host.isConnected && !this.#reattach()) return;
    const { origin } = this.layer;
    /** @type {[Element, Candidate, Box | null][]} */
    const measured = [];
    for (const tile of this.#chooseTiles()) {
      const candidate = this.watcher.tiles.get(tile);
      if (candidate !== undefined) measured.push([tile, candidate, measure(tile, origin)]);
    }
    const shown = new Set(measured.filter((each) => this.#show(...each)).map(([tile]) => tile));
    for (const [tile, { frame }] of this.marks) {
      if (shown.has(tile)) continue;
      frame.remove();
      this.marks.delete(tile);
    }
    const urls = measured.map(([, { url }]) => url);
    this.knowledge.want(urls);
    // What the dataset has, the model has learnt from or will; what is left out needs no opinion.
    this.parts.questions.want(
      urls.filter((url) => this.knowledge.get(url) === null && !this.parts.leftOut.has(url)),
    );
    this.rover.update(this.marks);
  }

  /** @returns {Set<Element>} The tiles that get a mark: those near, and the one with the focus. */
  #chooseTiles() {
    const { near, tiles } = this.watcher;
    const { kept } = this.rover;
    return kept !== null && tiles.has(kept) ? new Set([...near, kept]) : near;
  }

  /**
   * Show the mark of one tile.
   *
   * @param {Element} tile The tile.
   * @param {Candidate} candidate What it shows.
   * @param {Box | null} box Where it is.
   * @returns {boolean} False where there is nothing to show yet.
   */
  #show(tile, candidate, box) {
    const held = this.knowledge.get(candidate.url);
    if (held === undefined || box === null) return false;
    const mark = this.marks.get(tile) ?? this.layer.makeMark(() => void this.#press(tile));
    this.marks.set(tile, mark);
    const isLeftOut = this.parts.leftOut.has(candidate.url);
    const answer = held === null && !isLeftOut ? this.parts.questions.get(candidate.url) : null;
    const key = JSON.stringify([held, isLeftOut, candidate.url, answer]);
    // Words are looked up, which is slow, only for what has changed.
    if (mark.key !== key) this.layer.paint(mark, lookOf(candidate, { held, isLeftOut, answer }));
    mark.key = key;
    this.layer.place(mark, box);
    return true;
  }

  /** @returns {boolean} Whether the marks are in the page again after it has removed them. */
  #reattach() {
    if (!this.parts.isAlive()) {
      // The marks of the extension's next run have removed these and are in their place.
      this.remove();
      return false;
    }
    this.reattachCount += 1;
    if (this.reattachCount > MAX_REATTACH) return false;
    this.layer.attach();
    return true;
  }

  /** @param {Element} tile The tile whose mark a person pressed. */
  async #press(tile) {
    const url = this.watcher.tiles.get(tile)?.url;
    if (url === undefined || this.busy.has(url)) return;
    this.rover.current = tile;
    const held = this.knowledge.get(url) ?? null;
    if (held === null) {
      this.parts.leftOut.toggle(url);
      return this.#plan();
    }
    this.busy.add(url);
    const wanted = { ...held, excluded: !held.excluded };
    // What is pressed answers at once; a refusal takes it back.
    this.knowledge.set(url, wanted);
    const result = await this.parts.exclude(url, wanted.excluded);
    this.busy.delete(url);
    this.knowledge.set(url, result === undefined ? held : result);
    if (result === undefined) this.layer.say(text('markFailed'));
  }
}
