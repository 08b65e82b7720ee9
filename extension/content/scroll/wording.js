/** What a run says of itself: in the page's panel, in the popup, and in the toast when the page is gone. */
import { formatNumber, text, textCount } from '../../lib/text.js';

/** @typedef {import('../../lib/scroll.js').ScrollEnd} ScrollEnd */
/** @typedef {import('../../lib/scroll.js').ScrollState} ScrollState */

/** @type {Readonly<Record<ScrollEnd, string>>} Keys of the sentences; reaching the goal needs none. */
const ENDS = Object.freeze({
  goal: '',
  end: 'scrollEndReached',
  'nothing-new': 'scrollEndNothingNew',
  blocked: 'scrollEndBlocked',
  stopped: 'scrollEndStopped',
  'query-changed': 'scrollEndQuery',
  'page-left': 'scrollEndLeft',
  'hidden-too-long': 'scrollEndHidden',
  'time-cap': 'scrollEndTime',
  'step-cap': 'scrollEndSteps',
  'seen-cap': 'scrollEndSeen',
  failed: 'scrollEndFailed',
});
/** Ends that need the person's attention. */
const TROUBLE = new Set(['blocked', 'query-changed', 'page-left', 'hidden-too-long', 'failed']);

/**
 * Count.
 *
 * @param {Pick<ScrollState, 'count' | 'goal_count'>} state A run.
 * @returns {string} For example `137 of 200`.
 */
export function describeCount({ count, goal_count }) {
  return text('scrollCount', formatNumber(count), formatNumber(goal_count));
}

/**
 * Say what came of a run that has ended.
 *
 * @param {ScrollState} state The run.
 * @returns {{title: string, note: string, isTrouble: boolean}} What was captured; why it ended; and
 *   whether that needs attention.
 */
export function describeEnd(state) {
  const { end, error, outcome } = state;
  const key = end === null ? '' : ENDS[end];
  const notes = [key === '' ? '' : text(key)];
  if (outcome !== null && outcome.state !== 'sent') notes.push(outcome.error);
  if (error !== null) notes.push(error);
  return {
    title: describeOutcome(state),
    note: notes.filter((note) => note !== '').join(' '),
    isTrouble: error !== null || outcome?.state !== 'sent' || (end !== null && TROUBLE.has(end)),
  };
}

/**
 * Say what was captured.
 *
 * @param {ScrollState} state A run that has ended.
 * @returns {string} The sentence.
 */
function describeOutcome({ count, dataset_name, label, outcome, error }) {
  if (count === 0) return text('scrollNothing');
  const what = textCount('images', count);
  if (error !== null) return text('scrollNotKept', what, label, dataset_name);
  if (outcome?.state === 'sent') {
    const { added, known, refused } = outcome.capture;
    const counts = [added, known, refused.length].map(formatNumber);
    return text('scrollSent', what, dataset_name, label, ...counts);
  }
  const key = outcome?.state === 'refused' ? 'scrollRefused' : 'scrollKept';
  return text(key, what, label, dataset_name);
}
