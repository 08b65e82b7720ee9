/**
 * A dataset's images as a grid with its loupe, following filters and live counts.
 */
import { h, replace } from '../lib/dom.js';
import { plural } from '../lib/format.js';
import { explainError } from '../lib/explain.js';
import { imageQuery, stillMatches } from '../lib/filters.js';
import { ImageList } from '../lib/image-list.js';
import { GRID_HELP } from '../lib/keymap.js';
import { listImages } from '../lib/resources.js';
import { MAX_SELECTION } from '../lib/selection.js';
import { Grid } from './grid.js';
import { listenToImageKeys, runOnImages } from './image-keys.js';
import { openKeysDialog } from './keys-dialog.js';
import { openLoupe } from './loupe.js';
import { emptyNote, likenessNote, stackAddress, stackSize } from './image-notes.js';
import { loadingNote, showFailure, toast } from './notices.js';
import { keyLegend, selectionBar } from './selection-bar.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('./labelling.js').Labelling} Labelling */

/**
 * @typedef {object} ImageViewOptions
 * @property {string} datasetId Whose images.
 * @property {URLSearchParams} query The page's address.
 * @property {string} status The state whose images are shown.
 * @property {Labelling} labelling What keys change.
 * @property {() => void} onSearch Go to the search.
 * @property {AbortSignal} signal Of the view.
 */

/** The view and what it holds together. */
class ImageView {
  #options;
  #asked;
  #list;
  #grid;
  /** How many are told of in the notice. */
  #noticed = 0;
  /** Shown although they no longer match the filters, so that nothing moves under the hand. @type {Set<string>} */
  #left = new Set();
  #anchor = 0;
  #extending = new AbortController();
  #notice = h('div', { class: 'leaving', role: 'status' });
  #foot = h('div', { class: 'grid-foot' });
  /** What stands in the foot; it is drawn anew only for another: its link or button may have the keyboard. */
  #footing = '';
  /** Whether the keyboard came to the legend from a tile, the one that the person means. */
  #isPointed = false;
  /** @type {import('./image-keys.js').KeyTargets | null} */
  #targets = null;
  /** @type {{update: () => void} | null} */
  #loupe = null;

  /** @param {ImageViewOptions} options What to show. */
  constructor(options) {
    this.#options = options;
    const { datasetId, query, status, labelling, signal } = options;
    this.#asked = imageQuery(query, status);
    this.#list = new ImageList({
      load: ({ cursor, skip, limit }) => {
        const place = { ...this.#asked, cursor, skip: skip > 0 ? skip : null, limit };
        return listImages(datasetId, place, signal);
      },
      onChange: () => this.#redraw(),
      onError: (error) => this.#fail(error),
    });
    this.#grid = new Grid({
      list: this.#list,
      selection: labelling.selection,
      labels: labelling.labels,
      onOpen: (index) => this.#open(index),
      onToggle: (index) => this.#toggle(index),
      onExtend: (index) => void this.#extend(this.#anchor, index),
      onStack: (index) => {
        const image = this.#list.at(index);
        if (image) location.hash = stackAddress(image);
      },
      stackSize,
      signal,
    });
    this.node = h(
      'div',
      { class: 'stack tight' },
      this.#legend(),
      this.#notice,
      this.#grid.node,
      this.#foot,
      selectionBar(labelling, signal),
    );
    this.#listen();
    this.#drawFoot('loading', loadingNote());
    this.#list.want(0, 1);
  }

  /** @returns {HTMLElement} The keys; only what has been fetched can be labelled by them. */
  #legend() {
    const { labelling, signal } = this.#options;
    const onHelp = () => void openKeysDialog(labelling, GRID_HELP, signal);
    const onLabel = (/** @type {string} */ label) => this.#label(label);
    const legend = keyLegend(labelling, { signal, onLabel, onHelp });
    legend.addEventListener('focusin', ({ relatedTarget }) => {
      const from = relatedTarget instanceof Node ? relatedTarget : null;
      if (!legend.contains(from)) this.#isPointed = this.#grid.node.contains(from);
    });
    return legend;
  }

  #listen() {
    const { labelling, signal, onSearch } = this.#options;
    labelling.listen(
      {
        onImages: (images) => this.#follow(images),
        onUnknown: () => this.#reread(),
        onSelection: () => {
          // What was selected by hand meanwhile is not undone by what comes late.
          this.#extending.abort();
          this.#grid.draw();
        },
      },
      signal,
    );
    this.#targets = {
      labelling,
      grid: this.#grid,
      active: () => this.#list.at(this.#grid.active),
      onOpen: (index) => this.#open(index),
      onExtend: (index) => void this.#extend(this.#anchor, index),
      onAll: () => void this.#extend(0, (this.#list.total ?? 0) - 1),
      onMoved: () => (this.#anchor = this.#grid.active),
      onHelp: () => void openKeysDialog(labelling, GRID_HELP, signal),
      onSearch,
    };
    listenToImageKeys(this.#targets, signal);
  }

  /** Ask for what has come new, unless that would take away what the person has just changed. */
  refresh() {
    if (this.#left.size === 0) this.#list.refresh();
  }

  #reread() {
    this.#left.clear();
    this.#list.refresh();
    this.#redraw();
  }

  #redraw() {
    const { total } = this.#list;
    this.#grid.draw();
    this.#grid.node.hidden = total === null || total === 0;
    // What has failed stands there until it is here.
    if (total !== null && !this.#list.hasFailed) {
      const { datasetId, query, status } = this.#options;
      if (total === 0) this.#drawFoot('empty', emptyNote(datasetId, query, status));
      else this.#drawFoot('nothing', null);
    }
    this.#drawNotice(this.#left.size);
    this.#loupe?.update();
  }

  /**
   * @param {'loading' | 'empty' | 'nothing'} footing What it is.
   * @param {HTMLElement | null} content Below the grid.
   */
  #drawFoot(footing, content) {
    if (footing === this.#footing) return;
    this.#footing = footing;
    const hadFocus = this.#foot.contains(document.activeElement);
    replace(this.#foot, content);
    if (hadFocus) this.#grid.focus(this.#grid.active);
  }

  /** @param {number} count Images that no longer match. */
  #drawNotice(count) {
    // Its button stays the same while nothing changes: a new one would not have the keyboard.
    if (count === this.#noticed) return;
    this.#noticed = count;
    const hadFocus = this.#notice.contains(document.activeElement);
    replace(
      this.#notice,
      count > 0 &&
        h(
          'span',
          {},
          `${plural(count, 'image')} here no longer ${count === 1 ? 'matches' : 'match'} the filters. `,
        ),
      count > 0 &&
        h(
          'button',
          { type: 'button', class: 'button small', onclick: () => this.#reread() },
          'Update the list',
        ),
    );
    if (!hadFocus) return;
    if (count > 0) this.#notice.querySelector('button')?.focus();
    else this.#grid.focus(this.#grid.active);
  }

  /** @param {unknown} error Why a page of the list is not here. */
  #fail(error) {
    const { signal } = this.#options;
    if (signal.aborted) return;
    this.#footing = 'error';
    showFailure(this.#foot, error, signal, () => this.#list.refresh());
    // The foot cannot be seen from there.
    if (this.#loupe) toast(explainError(error));
  }

  /** @param {Image[]} images As they are now. */
  #follow(images) {
    for (const image of images) {
      if (stillMatches(image, this.#asked)) this.#left.delete(image.id);
      else if (this.#list.indexOf(image.id) >= 0) this.#left.add(image.id);
    }
    this.#list.replace(images);
  }

  /**
   * A press in the legend does what the key does: without a selection and a tile that had the focus, it first shows one.
   * @param {string} label Given to the selection, or to the tile that had the focus.
   */
  #label(label) {
    if (this.#isPointed && this.#options.labelling.selection.size === 0) {
      this.#grid.focus(this.#grid.active);
    }
    if (this.#targets) runOnImages({ name: 'label', label }, this.#targets);
  }

  /** @param {number} index Selected, or let go of. */
  #toggle(index) {
    const image = this.#list.at(index);
    if (!image) return;
    this.#anchor = index;
    this.#options.labelling.selection.toggle(image);
    this.#grid.focus(index);
  }

  /**
   * Select all between two places; what lies there and is not held is read first.
   * @param {number} from One end.
   * @param {number} to The other.
   */
  async #extend(from, to) {
    this.#extending.abort();
    this.#extending = new AbortController();
    const { signal } = this.#extending;
    const first = Math.min(from, to);
    const end = Math.min(Math.max(from, to) + 1, first + MAX_SELECTION);
    if (end <= Math.max(from, to)) {
      toast(`A selection holds ${plural(MAX_SELECTION, 'image')} at most: these are the first.`);
    }
    const isOver = () => signal.aborted || this.#options.signal.aborted;
    try {
      const images = await this.#list.collect(first, end, signal);
      if (!isOver()) this.#options.labelling.selection.set(images);
    } catch (error) {
      // What was selected before stays so.
      if (!isOver()) toast(`Nothing more is selected. ${explainError(error)}`);
    }
  }

  /** @param {number} index Looked at closely. */
  #open(index) {
    const { status, labelling, signal } = this.#options;
    if (status === 'queued' || status === 'downloading') return;
    let last = index;
    const loupe = openLoupe({
      source: { total: () => this.#list.total ?? 0, at: (at) => this.#list.at(at) },
      index,
      labelling,
      signal,
      onMove: (now) => {
        last = now;
        // Under the loupe the grid goes along, and with it what is read.
        this.#grid.reveal(now);
      },
      extra: likenessNote,
    });
    this.#loupe = loupe;
    void loupe.closed.then(() => {
      this.#loupe = null;
      this.#grid.focus(last);
    });
  }
}

/**
 * @param {ImageViewOptions} options What to show.
 * @returns {{node: HTMLElement, refresh: () => void}} The view.
 */
export function imageView(options) {
  const view = new ImageView(options);
  return { node: view.node, refresh: () => view.refresh() };
}
