/**
 * The grid of thumbnails: pages by cursor as one scrolls, tiles kept by id when the data changes, arrows to move.
 */
import { h, replace } from '../lib/dom.js';
import { MAX_PAGE } from '../lib/resources.js';
import { emptyState, errorCard } from './notices.js';
import { tileContent } from './tile.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/types.js').Page<Image>} ImagePage */

const FIRST_PAGE = 120;

/**
 * @typedef {object} GridOptions
 * @property {(query: {cursor: string | null, limit: number}) => Promise<ImagePage>} load One page.
 * @property {string[]} labels All labels, for their colours.
 * @property {(index: number) => void} onOpen A tile was chosen.
 * @property {(image: Image) => void} [onExclude] X was pressed on a tile.
 * @property {() => HTMLElement} empty What to show when there is nothing.
 * @property {AbortSignal} signal Of the view.
 */

/** The list of tiles and what it knows. */
export class Grid {
  /** @type {Image[]} */
  items = [];
  /** @type {string | null} */
  #cursor = null;
  #isLoading = false;
  /** @type {Map<string, HTMLLIElement>} */
  #tiles = new Map();
  /** @type {GridOptions} */
  #options;
  #list = h('ul', { class: 'grid', 'data-testid': 'grid' });
  #foot = h('div', { class: 'grid-foot' });

  /** @param {GridOptions} options What to show and whom to tell. */
  constructor(options) {
    this.#options = options;
    this.node = h('div', {}, this.#list, this.#foot);
    this.#list.addEventListener('keydown', (event) => this.#onKey(event));
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting) && this.#cursor) void this.loadMore();
      },
      // Start one screen early, so that scrolling does not wait.
      { rootMargin: '100% 0px' },
    );
    observer.observe(this.#foot);
    options.signal.addEventListener('abort', () => observer.disconnect(), { once: true });
  }

  /** Load the next page, if there is one. */
  async loadMore() {
    if (this.items.length > 0 && !this.#cursor) return;
    const page = await this.#load(this.#cursor, FIRST_PAGE);
    if (page) this.#take([...this.items, ...page.items], page.next_cursor);
  }

  /** Load again what is shown, keeping the tiles that stay; what came new is added. */
  async refresh() {
    const limit = Math.min(MAX_PAGE, Math.max(FIRST_PAGE, this.items.length));
    const page = await this.#load(null, limit);
    if (!page) return;
    const rest = this.items.slice(limit);
    this.#take([...page.items, ...rest], rest.length > 0 ? this.#cursor : page.next_cursor);
  }

  /**
   * @param {string | null} cursor From where.
   * @param {number} limit How many.
   * @returns {Promise<ImagePage | null>} The page; null when another load runs or it failed (which is said).
   */
  async #load(cursor, limit) {
    if (this.#isLoading) return null;
    this.#isLoading = true;
    if (this.items.length === 0) replace(this.#foot, h('p', { class: 'muted' }, 'Loading…'));
    try {
      return await this.#options.load({ cursor, limit });
    } catch (error) {
      if (!this.#options.signal.aborted) {
        replace(
          this.#foot,
          errorCard(error, () => void this.refresh()),
        );
      }
      return null;
    } finally {
      this.#isLoading = false;
    }
  }

  /**
   * @param {Image[]} items All that is known now.
   * @param {string | null} cursor Where it goes on.
   */
  #take(items, cursor) {
    // A list that shifted between two loads may bring an image twice.
    this.items = [...new Map(items.map((item) => [item.id, item])).values()];
    this.#cursor = cursor;
    this.#draw();
  }

  #draw() {
    const nodes = this.items.map((image, index) => this.#tile(image, index));
    this.#tiles = new Map(
      this.items.map((image, index) => [image.id, /** @type {HTMLLIElement} */ (nodes[index])]),
    );
    this.#list.replaceChildren(...nodes);
    replace(this.#foot, this.items.length === 0 && this.#options.empty());
  }

  /**
   * @param {Image} image What it shows.
   * @param {number} index Its place.
   * @returns {HTMLLIElement} The tile there was, or a new one.
   */
  #tile(image, index) {
    const key = `${image.status}|${image.label ?? ''}|${String(image.excluded)}`;
    const old = this.#tiles.get(image.id);
    if (old && old.dataset['key'] === key) return old;
    const button = h(
      'button',
      {
        type: 'button',
        class: image.excluded ? 'tile is-excluded' : 'tile',
        tabindex: index === 0 ? 0 : -1,
        onclick: () => this.#options.onOpen(this.items.findIndex((item) => item.id === image.id)),
      },
      ...tileContent(image, this.#options.labels),
    );
    return h('li', { 'data-key': key, 'data-testid': 'tile' }, button);
  }

  /**
   * Show a change of one image at once, before the server is asked again.
   * @param {Image} image As it is now.
   */
  update(image) {
    const hadFocus = this.#tiles.get(image.id)?.contains(document.activeElement) ?? false;
    this.items = this.items.map((item) => (item.id === image.id ? image : item));
    this.#draw();
    if (hadFocus) this.focus(this.items.findIndex((item) => item.id === image.id));
  }

  /**
   * Move the one tab stop.
   * @param {number} index Which tile.
   */
  focus(index) {
    const buttons = this.#list.querySelectorAll('button');
    const target = buttons[Math.max(0, Math.min(buttons.length - 1, index))];
    for (const button of buttons) button.tabIndex = button === target ? 0 : -1;
    target?.focus();
  }

  /** @param {KeyboardEvent} event On a tile. */
  #onKey(event) {
    const buttons = [...this.#list.querySelectorAll('button')];
    const index = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    if (index < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const columns = getComputedStyle(this.#list).gridTemplateColumns.split(' ').length;
    /** @type {Record<string, number>} */
    const moves = {
      ArrowRight: index + 1,
      ArrowLeft: index - 1,
      ArrowDown: index + columns,
      ArrowUp: index - columns,
      Home: 0,
      End: buttons.length - 1,
    };
    const target = moves[event.key];
    const image = this.items[index];
    if (target !== undefined) this.focus(target);
    else if (event.key.toLowerCase() === 'x' && image) this.#options.onExclude?.(image);
    else return;
    event.preventDefault();
  }
}

/**
 * @param {string} title What is missing.
 * @param {string} next What to do.
 * @returns {() => HTMLElement} For {@link GridOptions}.
 */
export function emptyGrid(title, next) {
  return () => emptyState(title, next);
}
