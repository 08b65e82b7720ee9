/**
 * Lets the keyboard walk over the marks. Hundreds of stops would bury the rest of the page: Tab reaches
 * one mark, the arrow keys lead from there to the others, Escape leads back.
 */
import { findNext } from './place.js';

/** @typedef {import('./layer.js').Mark} Mark */

/** Walks. */
export class Rover {
  /**
   * @param {object} parts What it works with.
   * @param {import('./layer.js').Layer} parts.layer Where the marks are.
   * @param {() => Element[]} parts.listTiles All tiles in page order, those far away too.
   * @param {() => void} parts.onMove Told when a mark is wanted that may not be shown yet.
   */
  constructor({ layer, listTiles, onMove }) {
    this.layer = layer;
    this.listTiles = listTiles;
    this.onMove = onMove;
    /** @type {Element | null} The tile whose mark Tab reaches. */
    this.current = null;
    /** @type {Element | null} Where the focus was before. */
    this.former = null;
    this.isWanted = false;
    layer.root.addEventListener('keydown', (event) => {
      this.#onKey(/** @type {KeyboardEvent} */ (event));
    });
  }

  /** Put the focus on the marks. */
  focus() {
    const { activeElement } = this.layer.document;
    if (activeElement !== this.layer.host) this.former = activeElement;
    this.#want();
  }

  /** @returns {Element | null} The tile that needs a mark wherever it is, since the focus is there. */
  get kept() {
    return this.isWanted || this.layer.root.activeElement !== null ? this.current : null;
  }

  /** @param {Map<Element, Mark>} marks Those that are shown now. */
  update(marks) {
    if (this.current === null || !marks.has(this.current)) this.current = findFirst(marks);
    for (const [tile, { button }] of marks) {
      const tabIndex = tile === this.current ? 0 : -1;
      if (button.tabIndex !== tabIndex) button.tabIndex = tabIndex;
    }
    const target = this.current === null ? undefined : marks.get(this.current);
    if (!this.isWanted || target === undefined) return;
    this.isWanted = false;
    target.button.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event A key pressed on a mark: no business of the page's own shortcuts. */
  #onKey(event) {
    event.stopPropagation();
    if (event.key === 'Escape') return this.#leave();
    if (this.current === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = findNext(this.listTiles(), this.current, event.key);
    if (next === undefined) return;
    event.preventDefault();
    this.current = next;
    next.scrollIntoView({ block: 'nearest' });
    this.#want();
  }

  /** Focus the current mark as soon as it is there. */
  #want() {
    this.isWanted = true;
    this.onMove();
  }

  /** Give the focus back to where it came from. */
  #leave() {
    /** @type {HTMLElement | null} */ (this.layer.root.activeElement)?.blur();
    if (this.former instanceof HTMLElement && this.former.isConnected) this.former.focus();
    this.former = null;
  }
}

/**
 * Choose where to begin.
 *
 * @param {Map<Element, Mark>} marks Those that are shown.
 * @returns {Element | null} The first tile that is not above the view; else any.
 */
function findFirst(marks) {
  for (const tile of marks.keys()) if (tile.getBoundingClientRect().top >= 0) return tile;
  return marks.keys().next().value ?? null;
}
