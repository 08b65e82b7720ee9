/** The images found on the page, as thumbnails to choose from. */
import { make } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */

/** @typedef {{candidate: Candidate, item: HTMLElement, tile: HTMLElement, box: HTMLInputElement}} Entry */

/** Shows candidates; each is chosen or not. */
export class CandidateGrid {
  /**
   * @param {HTMLElement} list Where the tiles go.
   * @param {() => void} onChange Told when the choice changes.
   */
  constructor(list, onChange) {
    this.list = list;
    this.onChange = onChange;
    /** @type {Entry[]} */
    this.entries = [];
    this.isTouched = false;
    list.addEventListener('change', () => {
      this.isTouched = true;
      onChange();
    });
  }

  /** @param {Candidate[]} candidates What to show; all are chosen at first. */
  show(candidates) {
    this.isTouched = false;
    this.entries = candidates.map(makeTile);
    this.list.replaceChildren(...this.entries.map(({ item }) => item));
    this.onChange();
  }

  /** @param {(candidate: Candidate) => boolean} passes Which to show; the others are never chosen. */
  filter(passes) {
    for (const { candidate, item } of this.entries) item.hidden = !passes(candidate);
    this.onChange();
  }

  /** Let the next marks decide the choice again, as after a capture. */
  forgetChoice() {
    this.isTouched = false;
  }

  /**
   * Mark those that the dataset has, and choose the others, unless the person has chosen already.
   *
   * @param {number[]} indexes Places of those that it has.
   */
  markKnown(indexes) {
    const known = new Set(indexes);
    for (const [index, { tile, box }] of this.entries.entries()) {
      if (!this.isTouched) box.checked = !known.has(index);
      tile.querySelector('.known')?.remove();
      if (known.has(index)) tile.append(make('span', { class: 'badge known' }, 'captured'));
    }
    this.onChange();
  }

  /** @param {(isChosen: boolean) => boolean} decide New choice for each, from the present one. */
  choose(decide) {
    this.isTouched = true;
    for (const { box, item } of this.entries) {
      if (!item.hidden) box.checked = decide(box.checked);
    }
    this.onChange();
  }

  /** @returns {Candidate[]} Those that are shown and chosen, in page order. */
  get chosen() {
    return this.entries
      .filter(({ box, item }) => box.checked && !item.hidden)
      .map(({ candidate }) => candidate);
  }
}

/**
 * Make the tile of one candidate.
 *
 * @param {Candidate} candidate What to show.
 * @returns {Entry} Its tile, chosen.
 */
function makeTile(candidate) {
  const { url, thumbnail_url, title, width, height } = candidate;
  const name = title ?? url;
  const box = make('input', { type: 'checkbox', 'aria-label': name });
  box.checked = true;
  const image = make('img', { alt: '', loading: 'lazy', referrerpolicy: 'no-referrer' });
  const tile = make('label', { class: 'tile', title: `${name}\n${url}` }, image, box);
  tile.dataset['testid'] = 'candidate';
  if (width !== null && height !== null) {
    tile.append(make('span', { class: 'badge' }, `${width}×${height}`));
  }
  image.addEventListener('error', () => {
    // The thumbnail may be refused outside its page; then the original, then its name has to do.
    if (thumbnail_url !== null && image.src !== url) image.src = url;
    else image.replaceWith(make('span', { class: 'broken' }, name));
  });
  image.src = thumbnail_url ?? url;
  return { candidate, item: make('li', {}, tile), tile, box };
}
