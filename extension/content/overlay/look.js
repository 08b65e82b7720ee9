/** What a mark says of an image: its sign, its word, and what the keyboard and a reader are told. */
import { nameOpinion } from '../../lib/doubt.js';
import { text } from '../../lib/text.js';
import { isWaiting } from './knowledge.js';

/** @typedef {import('../../lib/page-messages.js').Held} Held */
/** @typedef {import('../../lib/page-messages.js').Opinion} Opinion */
/** @typedef {'new' | 'doubted' | 'left-out' | 'captured' | 'waiting' | 'rejected' | 'excluded'} MarkState */
/**
 * @typedef {object} Known What is known of an image.
 * @property {Held | null} held What the dataset has of it.
 * @property {boolean} isLeftOut Whether the person left it out of the next capture.
 * @property {{opinion: Opinion, isDoubted: boolean} | null} answer What the model says of it, if it
 *   was asked, and whether that is doubted.
 */
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
/** Of messages, by state; but for the first they also name the label that the image has, or gets. */
const NAMES = {
  new: 'markNew',
  doubted: 'markDoubted',
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
 * @param {Known} known What is known of it.
 * @returns {Look} The mark's look.
 */
export function lookOf(candidate, known) {
  const state = stateOf(known);
  const title = (candidate.title ?? nameOf(candidate.url)).slice(0, MAX_TITLE_LENGTH);
  const word = wordOf(known);
  const isAgreed = state === 'new' && word !== '';
  return {
    state,
    word,
    name: text(isAgreed ? 'markAgreed' : NAMES[state], title, word),
    hint: text(isAgreed ? 'markAgreed' : HINTS[state], title, word),
    isPressed: state === 'left-out' || state === 'excluded',
  };
}

/**
 * Choose the word.
 *
 * @param {Known} known What is known of an image.
 * @returns {string} The dataset's label, or what the model says; empty for neither.
 */
function wordOf({ held, answer }) {
  if (held !== null) return held.label ?? text('markNoLabel');
  return answer === null ? '' : nameOpinion(answer.opinion);
}

/**
 * Choose the sign.
 *
 * @param {Known} known What is known of an image.
 * @returns {MarkState} The sign.
 */
function stateOf({ held, isLeftOut, answer }) {
  if (held === null && isLeftOut) return 'left-out';
  if (held === null) return answer?.isDoubted ? 'doubted' : 'new';
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
