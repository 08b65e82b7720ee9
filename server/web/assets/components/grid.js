/**
 * The grid of thumbnails: only the rows near the window are in the document, however long the list is. One tab stop;
 * which keys move it is grid-window.js's, what else keys do is told to the owner.
 */
import { h, replace } from '../lib/dom.js';
import {
  GAP_PX,
  indexAfter,
  layoutFor,
  rowCount,
  scrollToShow,
  windowFor,
} from '../lib/grid-window.js';
import { tileContent, tileKey, waitingContent } from './tile.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/image-list.js').ImageList} ImageList */
/** @typedef {import('../lib/selection.js').Selection} Selection */

/** The page's head stays on top of the grid. */
const HEAD_PX = 64;
/** The bar of the selection may lie over its foot. */
const FOOT_PX = 84;

/**
 * @typedef {object} GridOptions
 * @property {ImageList} list What it shows.
 * @property {Selection} selection Which of them are marked.
 * @property {string[]} labels All labels, for their colours.
 * @property {(index: number) => void} onOpen A tile was clicked.
 * @property {(index: number) => void} onToggle A tile's mark was clicked.
 * @property {(index: number) => void} onExtend The way from the anchor to here is to be selected.
 * @property {(index: number) => void} onStack The count of images alike was clicked.
 * @property {(image: Image) => number} stackSize How many images look like this one, itself included.
 * @property {AbortSignal} signal Of the view.
 */

/** The rows in the document and the one tile that has the focus. */
export class Grid {
  /** The tile that is the tab stop. */
  active = 0;
  #options;
  #layout = layoutFor(1);
  #isQueued = false;
  /** @type {Map<number, HTMLElement>} */
  #rows = new Map();
  #space = h('div', {
    class: 'grid',
    role: 'grid',
    'aria-label': 'Images',
    'aria-multiselectable': 'true',
    'data-testid': 'grid',
  });

  /** @param {GridOptions} options What to show and whom to tell. */
  constructor(options) {
    this.#options = options;
    this.node = this.#space;
    this.#space.addEventListener('click', (event) => this.#onClick(event));
    this.#space.addEventListener('focusin', (event) => this.#onFocus(event));
    const redraw = () => this.draw();
    const listening = { signal: options.signal, passive: true };
    window.addEventListener('scroll', redraw, listening);
    window.addEventListener('resize', redraw, listening);
    const observer = new ResizeObserver(redraw);
    observer.observe(this.#space);
    options.signal.addEventListener('abort', () => observer.disconnect(), { once: true });
  }

  /** @returns {number} How many rows the window shows. */
  get #pageRows() {
    return Math.floor((window.innerHeight - HEAD_PX) / this.#layout.row_px);
  }

  /** Draw what has changed, once before the next frame. */
  draw() {
    if (this.#isQueued) return;
    this.#isQueued = true;
    requestAnimationFrame(() => {
      this.#isQueued = false;
      if (!this.#options.signal.aborted) this.#drawKept();
    });
  }

  /** Draw; a tile that goes with its row, as for another number of columns, leaves the focus to its successor. */
  #drawKept() {
    const hadFocus = this.hasFocus();
    this.#drawNow();
    if (hadFocus && !this.hasFocus()) this.#cellAt(this.active)?.focus({ preventScroll: true });
  }

  #drawNow() {
    const total = this.#options.list.total ?? 0;
    this.active = Math.max(0, Math.min(this.active, total - 1));
    this.#fit(total);
    const { columns, row_px } = this.#layout;
    const place = {
      hidden_px: -this.#space.getBoundingClientRect().top,
      viewport_px: window.innerHeight,
      row_px,
      rows: rowCount(total, columns),
    };
    const { first, end } = windowFor(place);
    this.#options.list.want(first * columns, end * columns);
    const pinned = Math.floor(this.active / columns);
    for (const [number, row] of this.#rows) {
      const isShown = (number >= first && number < end) || number === pinned;
      if (isShown && number < place.rows) continue;
      row.remove();
      this.#rows.delete(number);
    }
    if (total === 0) return;
    this.#drawRow(pinned);
    for (let number = first; number < end; number += 1) this.#drawRow(number);
  }

  /** @param {number} total Gives the grid its size; another number of columns begins anew. */
  #fit(total) {
    const width_px = this.#space.clientWidth;
    if (width_px > 0) {
      const layout = layoutFor(width_px);
      if (layout.columns !== this.#layout.columns) this.#clear();
      this.#layout = layout;
    }
    const { columns, tile_px, row_px } = this.#layout;
    const rows = rowCount(total, columns);
    this.#space.style.setProperty('--columns', String(columns));
    this.#space.style.setProperty('--tile', `${String(tile_px)}px`);
    this.#space.style.height = `${String(Math.max(0, rows * row_px - GAP_PX))}px`;
    this.#space.setAttribute('aria-rowcount', String(rows));
    this.#space.setAttribute('aria-colcount', String(columns));
  }

  #clear() {
    this.#rows.clear();
    this.#space.replaceChildren();
  }

  /** @param {number} number Made if it is not there, else brought up to date. */
  #drawRow(number) {
    const { columns, row_px } = this.#layout;
    const row = this.#rows.get(number) ?? this.#addRow(number);
    row.style.transform = `translateY(${String(number * row_px)}px)`;
    const start = number * columns;
    const cells = Math.min(columns, (this.#options.list.total ?? 0) - start);
    while (row.childElementCount > cells) row.lastElementChild?.remove();
    for (let column = 0; column < cells; column += 1) {
      const cell = row.children[column] ?? row.appendChild(this.#makeCell(column));
      this.#drawCell(/** @type {HTMLElement} */ (cell), start + column);
    }
  }

  /**
   * @param {number} number Which row.
   * @returns {HTMLElement} It, in its place among the others: the order of the document is that of the list.
   */
  #addRow(number) {
    const row = h('div', { class: 'grid-row', role: 'row', 'aria-rowindex': number + 1 });
    const next = Math.min(...[...this.#rows.keys()].filter((other) => other > number));
    this.#space.insertBefore(row, this.#rows.get(next) ?? null);
    this.#rows.set(number, row);
    return row;
  }

  /**
   * @param {number} column From 0.
   * @returns {HTMLElement} An empty cell.
   */
  #makeCell(column) {
    return h('div', {
      class: 'tile',
      role: 'gridcell',
      'aria-colindex': column + 1,
      'data-testid': 'tile',
    });
  }

  /**
   * @param {HTMLElement} cell Brought up to date.
   * @param {number} index Which image it shows.
   */
  #drawCell(cell, index) {
    const { list, selection, labels, stackSize } = this.#options;
    const image = list.at(index);
    const size = image ? stackSize(image) : 0;
    const isSelected = image !== undefined && selection.has(image.id);
    cell.tabIndex = index === this.active ? 0 : -1;
    cell.setAttribute('aria-selected', String(isSelected));
    const key = `${String(index)}|${image ? tileKey(image, size) : ''}`;
    if (cell.dataset['key'] === key) return;
    cell.dataset['key'] = key;
    cell.dataset['index'] = String(index);
    cell.classList.toggle('is-stack', size > 1);
    if (image) fillCell(cell, image, tileContent(image, labels, size));
    else fillCell(cell, null, waitingContent(index));
  }

  /**
   * Move the focus, and the window with it.
   * @param {number} index Which tile.
   */
  focus(index) {
    this.reveal(index);
    this.#cellAt(this.active)?.focus({ preventScroll: true });
  }

  /**
   * Move the one tab stop, and the window with it; the focus stays where it is, as in a dialog above.
   * @param {number} index Which tile.
   */
  reveal(index) {
    const total = this.#options.list.total ?? 0;
    if (total === 0) return;
    this.active = Math.max(0, Math.min(total - 1, index));
    const { columns, row_px } = this.#layout;
    const number = Math.floor(this.active / columns);
    const top_px = this.#space.getBoundingClientRect().top + number * row_px;
    const below_px = window.innerHeight - FOOT_PX;
    const by_px = scrollToShow({ top_px, height_px: row_px - GAP_PX, above_px: HEAD_PX, below_px });
    if (by_px !== 0) window.scrollBy({ top: by_px, behavior: 'instant' });
    this.#drawNow();
  }

  /**
   * @param {KeyboardEvent} event Pressed in the grid.
   * @returns {number | null} The tile that it leads to, already in focus; null when it is no key for moving.
   */
  move(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return null;
    const { columns } = this.#layout;
    const shape = { columns, total: this.#options.list.total ?? 0, pageRows: this.#pageRows };
    const target = indexAfter(event.key, this.active, shape);
    if (target !== null) this.focus(target);
    return target;
  }

  /** @returns {boolean} Whether the focus is on a tile. */
  hasFocus() {
    return this.#space.contains(document.activeElement);
  }

  /**
   * @param {number} index Which tile.
   * @returns {HTMLElement | null} Its cell, if it is in the document.
   */
  #cellAt(index) {
    const { columns } = this.#layout;
    const row = this.#rows.get(Math.floor(index / columns));
    return /** @type {HTMLElement | null} */ (row?.children[index % columns] ?? null);
  }

  /**
   * @param {Event} event Somewhere in a tile.
   * @returns {number | null} Which one.
   */
  #indexOf(event) {
    const cell = event.target instanceof Element ? event.target.closest('.tile') : null;
    return cell instanceof HTMLElement ? Number(cell.dataset['index']) : null;
  }

  /** @param {FocusEvent} event A tile got the focus, by whatever means. */
  #onFocus(event) {
    const index = this.#indexOf(event);
    if (index === null || index === this.active) return;
    const former = this.#cellAt(this.active);
    if (former) former.tabIndex = -1;
    this.active = index;
    const cell = this.#cellAt(index);
    if (cell) cell.tabIndex = 0;
  }

  /** @param {MouseEvent} event On a tile. */
  #onClick(event) {
    const index = this.#indexOf(event);
    if (index === null) return;
    const { selection, onExtend, onToggle, onOpen, onStack } = this.#options;
    const isOn = (/** @type {string} */ part) =>
      event.target instanceof Element && event.target.closest(part) !== null;
    if (isOn('.tile-stack')) onStack(index);
    else if (event.shiftKey) onExtend(index);
    else if (isOn('.tile-check') || selection.size > 0) onToggle(index);
    else if (event.ctrlKey || event.metaKey) onToggle(index);
    else onOpen(index);
  }
}

/**
 * @param {HTMLElement} cell Filled.
 * @param {Image | null} image What it shows; null while its page is on its way.
 * @param {(HTMLElement | null)[]} content From tile.js.
 */
function fillCell(cell, image, content) {
  cell.classList.toggle('is-excluded', image?.excluded === true);
  replace(cell, ...content);
}
