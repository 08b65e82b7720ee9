/**
 * The images found on the page, as thumbnails to choose from. A page may hold thousands, hence only
 * the tiles near the viewport exist. The list is one stop of the Tab key; arrow keys move within it.
 */
import { text, formatNumber } from '../lib/text.js';
import { make } from '../ui/dom.js';
import { UNNAMED, makeTile, updateTile } from './candidate-tile.js';
import { Choice } from './choice.js';
import { findInSight, follow, layOut } from './grid-layout.js';
import { ThumbnailLoader } from './thumbnails.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('./candidate-tile.js').Said} Said */
/** @typedef {import('./candidate-tile.js').Tile} Tile */

/** Rendered beyond the edges, so that a turn of the wheel shows no empty rows. */
const OVERSCAN_PX = 300;
const ALL_KEY = 'a';

/** Shows candidates; each is chosen or not. */
export class CandidateGrid {
  /**
   * @param {HTMLElement} list Where the tiles go.
   * @param {() => void} onChange Told when the choice changes.
   */
  constructor(list, onChange) {
    this.list = list;
    this.onChange = onChange;
    this.choice = new Choice([]);
    /** @type {(candidate: Candidate) => Said | null} What the model says of one. */
    this.findSaid = () => null;
    this.thumbnails = new ThumbnailLoader();
    /** @type {Map<number, Tile>} Those that exist, by place. */
    this.tiles = new Map();
    /** Place that the keyboard is at. */
    this.active = 0;
    this.layout = layOut(0, 0);
    list.addEventListener('click', (event) => this.#onClick(event));
    list.addEventListener('keydown', (event) => this.#onKey(event));
    // Whichever element scrolls, the list's or a small window's: its events do not bubble.
    document.addEventListener('scroll', () => this.#render(), { capture: true, passive: true });
    new ResizeObserver(() => this.#layOut()).observe(list);
  }

  /** @returns {number} How many there are, whether they pass the filters or not. */
  get count() {
    return this.choice.candidates.length;
  }

  /** @returns {Candidate[]} Those that are shown and chosen, in page order. */
  get chosen() {
    return this.choice.chosen;
  }

  /**
   * Show candidates.
   *
   * @param {Candidate[]} candidates What to show; all are chosen at first, but for some.
   * @param {string[]} [leftOutUrls] Addresses of those that the person left out in the page itself.
   */
  show(candidates, leftOutUrls = []) {
    this.choice = new Choice(candidates, leftOutUrls);
    this.#start();
  }

  /** @param {(candidate: Candidate) => boolean} passes Which to show; the others are never chosen. */
  filter(passes) {
    this.choice.filter(passes);
    this.#start();
  }

  /** Let the next marks decide the choice again, as after a capture. */
  forgetChoice() {
    this.choice.isTouched = false;
  }

  /** @param {(candidate: Candidate) => Said | null} findSaid Tells what the model says of each. */
  showSaid(findSaid) {
    this.findSaid = findSaid;
    this.#paint();
  }

  /** @param {number[]} indexes Those that the dataset has; the others are chosen, unless the person chose. */
  markKnown(indexes) {
    this.choice.markKnown(indexes);
    this.#update();
  }

  /** @param {(isChosen: boolean) => boolean} decide New choice for each, from the present one. */
  choose(decide) {
    this.choice.chooseAll(decide);
    this.#update();
  }

  /**
   * Count those that are shown, new, and wanted.
   *
   * @param {(candidate: Candidate) => boolean} isWanted Which.
   * @returns {number} How many.
   */
  countNew(isWanted) {
    return this.choice.countNew(isWanted);
  }

  /** @param {(candidate: Candidate) => boolean} isWanted Which to choose of the new ones; no others. */
  chooseOnly(isWanted) {
    this.choice.chooseOnly(isWanted);
    this.#update();
  }

  /** Show other candidates than before: from their beginning. */
  #start() {
    for (const place of [...this.tiles.keys()]) this.#drop(place);
    this.active = 0;
    this.list.hidden = this.choice.shownCount === 0;
    this.#layOut();
    this.#update();
  }

  /** Fit the rows to the list's width. */
  #layOut() {
    const layout = layOut(this.list.clientWidth, this.choice.shownCount);
    this.layout = layout;
    this.list.style.height = `${layout.height_px}px`;
    this.list.style.setProperty('--side', `${layout.side_px}px`);
    for (const [place, { element }] of this.tiles) this.#put(element, place);
    this.#render();
  }

  /** Make the tiles in sight, and drop those that are not. The active one is kept for the keyboard. */
  #render() {
    const { top } = this.list.getBoundingClientRect();
    const from = -top - OVERSCAN_PX;
    const { first, end } = findInSight(this.layout, from, innerHeight - top + OVERSCAN_PX);
    const isWanted = (/** @type {number} */ place) =>
      (place >= first && place < end) || place === this.active;
    for (const place of [...this.tiles.keys()]) if (!isWanted(place)) this.#drop(place);
    const isMissing = (/** @type {number} */ place) =>
      place < this.layout.count && !this.tiles.has(place);
    const missing = Array.from({ length: end - first }, (_, step) => first + step);
    for (const place of new Set([...missing, this.active])) {
      if (isMissing(place)) this.#add(place);
    }
    this.#showActive();
  }

  /** @param {number} place Where to make a tile. */
  #add(place) {
    const entry = this.choice.at(place);
    if (entry === null) return;
    const tile = makeTile(entry.candidate);
    const { element, image } = tile;
    element.id = `candidate-${place}`;
    element.setAttribute('aria-posinset', String(place + 1));
    element.setAttribute('aria-setsize', String(this.layout.count));
    element.dataset['place'] = String(place);
    updateTile(tile, entry, this.findSaid(entry.candidate));
    this.#put(element, place);
    this.tiles.set(place, tile);
    this.#insert(element, place);
    const { url, thumbnail_url, title } = entry.candidate;
    // The thumbnail may be refused outside its page; then the original, then its name has to do.
    const addresses = thumbnail_url === null ? [url] : [thumbnail_url, url];
    this.thumbnails.load(image, addresses, () => {
      image.replaceWith(make('span', { class: 'broken', ...UNNAMED }, title ?? url));
    });
  }

  /**
   * Insert a tile in the order in which they are read out.
   *
   * @param {HTMLElement} element The tile.
   * @param {number} place Its place.
   */
  #insert(element, place) {
    const tiles = /** @type {HTMLElement[]} */ ([...this.list.children]);
    const next = tiles.find(({ dataset }) => Number(dataset['place']) > place);
    this.list.insertBefore(element, next ?? null);
  }

  /** @param {number} place Where to drop the tile. */
  #drop(place) {
    const tile = this.tiles.get(place);
    if (tile === undefined) return;
    this.thumbnails.cancel(tile.image);
    tile.element.remove();
    this.tiles.delete(place);
  }

  /**
   * Put a tile where it belongs.
   *
   * @param {HTMLElement} element The tile.
   * @param {number} place Its place.
   */
  #put(element, place) {
    const { columns, pitch_px } = this.layout;
    const x = (place % columns) * pitch_px;
    const y = Math.floor(place / columns) * pitch_px;
    element.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** Show on the tiles what is known. */
  #paint() {
    for (const [place, tile] of this.tiles) {
      const entry = this.choice.at(place);
      if (entry !== null) updateTile(tile, entry, this.findSaid(entry.candidate));
    }
  }

  /** Show the choice. */
  #update() {
    this.#paint();
    const { chosen, shownCount } = this.choice;
    const parts = [formatNumber(chosen.length), formatNumber(shownCount)];
    this.list.setAttribute('aria-label', `${text('gridName')}: ${text('chosenCount', ...parts)}`);
    this.onChange();
  }

  /** Tell the keyboard's place. */
  #showActive() {
    for (const [place, { element }] of this.tiles) {
      element.classList.toggle('active', place === this.active);
    }
    const id = this.tiles.get(this.active)?.element.id ?? '';
    if (this.list.getAttribute('aria-activedescendant') === id) return;
    this.list.setAttribute('aria-activedescendant', id);
  }

  /** @param {MouseEvent} event A click: on a tile it chooses, with the shift key up to there. */
  #onClick({ target, shiftKey }) {
    const tile = target instanceof Element ? target.closest('.tile') : null;
    if (!(tile instanceof HTMLElement)) return;
    this.#act(Number(tile.dataset['place']), shiftKey);
  }

  /** @param {KeyboardEvent} event A key: it moves, chooses, or chooses on the way. */
  #onKey(event) {
    const { key, shiftKey } = event;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const place = isPlain ? follow(key, this.active, this.layout, this.#sightPx()) : null;
    if (place !== null) {
      this.#move(place, shiftKey);
    } else if (key === ' ' && isPlain) {
      this.#act(this.active, shiftKey);
    } else if (key === ALL_KEY && (event.ctrlKey || event.metaKey)) {
      this.choose(() => true);
    } else {
      return;
    }
    event.preventDefault();
  }

  /**
   * Choose one, or a range that ends there.
   *
   * @param {number} place Where.
   * @param {boolean} isRange Whether a range.
   */
  #act(place, isRange) {
    if (isRange) this.choice.extendTo(place);
    else this.choice.toggle(place);
    this.#move(place, false, this.choice.anchor);
    this.#update();
  }

  /**
   * Go to a tile and bring it into sight.
   *
   * @param {number} place Where to.
   * @param {boolean} isRange Whether what lies between becomes as the tile is where the range began.
   * @param {number} anchor Where later ranges begin, when this is none.
   */
  #move(place, isRange, anchor = place) {
    if (isRange) this.choice.extendTo(place);
    else this.choice.anchor = anchor;
    this.active = place;
    this.#render();
    this.tiles.get(place)?.element.scrollIntoView({ block: 'nearest' });
    if (isRange) this.#update();
  }

  /** @returns {number} How much of the list is in sight. */
  #sightPx() {
    return Math.min(innerHeight, this.list.parentElement?.clientHeight ?? innerHeight);
  }
}
