/** The tile of one candidate. */
import { text } from '../lib/text.js';
import { make } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */

/** @typedef {{element: HTMLElement, image: HTMLImageElement, known: HTMLElement, name: HTMLElement}} Tile */

/** Of what is seen in a tile: its name, which is heard, has all of it. */
export const UNNAMED = { 'aria-hidden': 'true' };

/**
 * Make a tile. Its thumbnail is loaded by whoever shows it.
 *
 * @param {Candidate} candidate What it shows.
 * @returns {Tile} The tile with the parts that change.
 */
export function makeTile({ url, title, width, height }) {
  const image = make('img', { alt: '', referrerpolicy: 'no-referrer', draggable: 'false' });
  const name = make('span', { class: 'visually-hidden' });
  const known = make('span', { class: 'badge known', ...UNNAMED }, text('tileCaptured'));
  const element = make(
    'div',
    { class: 'tile', role: 'option', 'data-testid': 'candidate', title: `${title ?? url}\n${url}` },
    name,
    image,
    known,
  );
  if (width !== null && height !== null) {
    element.append(make('span', { class: 'badge', ...UNNAMED }, `${width}×${height}`));
  }
  return { element, image, known, name };
}

/**
 * Show what is known of a tile's candidate.
 *
 * @param {Tile} tile The tile.
 * @param {{candidate: Candidate, isChosen: boolean, isKnown: boolean}} entry What is known.
 */
export function updateTile({ element, known, name }, { candidate, isChosen, isKnown }) {
  const { url, title, width, height } = candidate;
  const parts = [title ?? url];
  if (width !== null && height !== null) parts.push(`${width}×${height}`);
  if (isKnown) parts.push(text('tileCaptured'));
  name.textContent = parts.join(', ');
  element.setAttribute('aria-selected', String(isChosen));
  known.hidden = !isKnown;
}
