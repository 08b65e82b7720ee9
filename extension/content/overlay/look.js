/** What a mark says of an image: its sign, its word, and what the keyboard and a reader are told. */
import { text } from '../../lib/text.js';
import { isWaiting } from './knowledge.js';

/** @typedef {import('../../lib/page-messages.js').Held} Held */
/** @typedef {'new' | 'left-out' | 'captured' | 'waiting' | 'rejected' | 'excluded'} MarkState */
/**
 * @typedef {object} Look
 * @property {MarkState} state Which sign.
 * @property {string} word What stands beside the sign; empty for none.
 * @property {string} name What a pressed button has done, and to which image, for screen readers.
 * @property {string} hint What a click does now, for the tooltip.
 * @property {boolean} isPressed Whether a click has been made that another takes back.
 */

/** A tooltip of three lines. */
const MAX_TITLE_LENGTH = 100;
/** Of messages, by state; those of an image that the dataset has also name its label. */
const NAMES = {
  new: 'markNew',
  'left-out': 'markNew',
  captured: 'markCaptured',
  waiting: 'markWaiting',
  rejected: 'markRejected',
  excluded: 'markExcluded',
};
/** Of messages: a pressed button is named by what was done, and a click takes that back. */
const HINTS = { ...NAMES, 'left-out': 'markLeftOutHint', excluded: 'markExcludedHint' };

/**
 * Decide how a tile is marked.
 *
 * @param {import('../../lib/types.js').Candidate} candidate What it shows.
 * @param {Held | null} held What the dataset has of it.
 * @param {boolean} isLeftOut Whether the person left it out of the next capture.
 * @returns {Look} The mark's look.
 */
export function lookOf(candidate, held, isLeftOut) {
  const state = stateOf(held, isLeftOut);
  const title = (candidate.title ?? nameOf(candidate.url)).slice(0, MAX_TITLE_LENGTH);
  const word = held === null ? '' : (held.label ?? text('markNoLabel'));
  return {
    state,
    word,
    name: text(NAMES[state], title, word),
    hint: text(HINTS[state], title, word),
    isPressed: state === 'left-out' || state === 'excluded',
  };
}

/**
 * Choose the sign.
 *
 * @param {Held | null} held What the dataset has.
 * @param {boolean} isLeftOut Whether the person left it out.
 * @returns {MarkState} The sign.
 */
function stateOf(held, isLeftOut) {
  if (held === null) return isLeftOut ? 'left-out' : 'new';
  if (held.excluded) return 'excluded';
  if (held.status === 'rejected') return 'rejected';
  return isWaiting(held) ? 'waiting' : 'captured';
}

/**
 * Name an image that has no words of its own.
 *
 * @param {string} url Its address.
 * @returns {string} The last of its path.
 */
function nameOf(url) {
  return new URL(url).pathname.split('/').at(-1) || url;
}
