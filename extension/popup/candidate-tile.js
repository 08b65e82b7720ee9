/** The tile of one candidate. */
import { text } from '../lib/text.js';
import { make } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */

/** @typedef {{element: HTMLElement, image: HTMLImageElement, known: HTMLElement, doubt: HTMLElement, name: HTMLElement}} Tile */
/** @typedef {{words: string, isDoubted: boolean}} Said What the model says of a candidate, for a person. */

/** Of what is seen in a tile: its name, which is heard, has all of it. */
export const UNNAMED = { 'aria-hidden': 'true' };

/**
 * Make a tile. Its thumbnail is loaded by whoever shows it.
 *
 * @param {Candidate} candidate What it shows.
 * @returns {Tile} The tile with the parts that change.
 */
export function makeTile({ width, height }) {
  const image = make('img', { alt: '', referrerpolicy: 'no-referrer', draggable: 'false' });
  const name = make('span', { class: 'visually-hidden' });
  const known = make('span', { class: 'badge known', ...UNNAMED }, text('tileCaptured'));
  const doubt = make('span', { class: 'badge doubt', ...UNNAMED }, '?');
  const element = make(
    'div',
    { class: 'tile', role: 'option', 'data-testid': 'candidate' },
    name,
    image,
    known,
    doubt,
  );
  if (width !== null && height !== null) {
    element.append(make('span', { class: 'badge', ...UNNAMED }, `${width}×${height}`));
  }
  return { element, image, known, doubt, name };
}

/**
 * Show what is known of a tile's candidate.
 *
 * @param {Tile} tile The tile.
 * @param {{candidate: Candidate, isChosen: boolean, isKnown: boolean}} entry What is known.
 * @param {Said | null} answer What the model says; null for nothing. Of what the dataset has it is
 *   not shown: that it said it before the capture.
 */
export function updateTile({ element, known, doubt, name }, entry, answer) {
  const { candidate, isChosen, isKnown } = entry;
  const said = isKnown ? null : answer;
  const { url, title, width, height } = candidate;
  const parts = [title ?? url];
  if (width !== null && height !== null) parts.push(`${width}×${height}`);
  if (isKnown) parts.push(text('tileCaptured'));
  if (said !== null) parts.push(said.words);
  name.textContent = parts.join(', ');
  element.title = [title ?? url, url, ...(said === null ? [] : [said.words])].join('\n');
  element.setAttribute('aria-selected', String(isChosen));
  known.hidden = !isKnown;
  doubt.hidden = said?.isDoubted !== true;
}
