/**
 * One piece of feedback: the picture, what the model said of it, and what somebody says.
 */
import { h, picture } from '../lib/dom.js';
import { timeElement } from '../lib/format.js';
import { labelTag } from '../lib/labels.js';
import { feedbackFileUrl, thumbnailUrl } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { outsideLink } from './facts.js';

/** @typedef {import('../lib/feedback.js').Feedback} Feedback */

/**
 * @param {Feedback} entry What was said.
 * @returns {string | null} The label that it is taken over under, unless a person chooses another.
 */
export const labelSaid = (entry) => entry.label ?? (entry.is_right ? entry.predicted : null);

/**
 * @param {Feedback} entry What was said.
 * @returns {HTMLElement} Its picture, or why there is none.
 */
function shownPicture(entry) {
  const alt = `Picture that was answered “${entry.predicted ?? 'none of these'}”`;
  if (entry.image_id !== null) {
    return h(
      'a',
      { href: hashFor('images', entry.image_id) },
      picture(thumbnailUrl(entry.image_id), alt),
    );
  }
  if (entry.has_picture) return picture(feedbackFileUrl(entry.id), alt);
  return h(
    'p',
    { class: 'muted' },
    'The picture was not sent: this is counted, and can become no image.',
  );
}

/**
 * @param {Feedback} entry What was said.
 * @param {string[]} labels All labels, for their colours.
 * @returns {HTMLElement} What somebody says that it is.
 */
function saidLine(entry, labels) {
  const label = labelSaid(entry);
  if (entry.is_right) return h('p', {}, 'Somebody says that this is right.');
  if (label === null) return h('p', {}, 'Somebody says that this is wrong, and not what it is.');
  return h('p', {}, 'Somebody says that it is ', labelTag(label, labels), '.');
}

/**
 * @param {Feedback} entry What was said.
 * @returns {string | null} What became of it; null while it waits.
 */
function outcome({ state, image_id }) {
  if (state === 'new') return null;
  if (state === 'dismissed') return 'It was let go.';
  return image_id === null ? 'It was taken over; its image is gone.' : 'It was taken over.';
}

/**
 * @param {Feedback} entry What was said.
 * @param {string[]} labels All labels, for their colours.
 * @returns {HTMLElement} All of it.
 */
export function inboxEntry(entry, labels) {
  const answered = entry.predicted ?? 'none of these';
  return h(
    'article',
    { class: 'inbox-entry', 'data-testid': 'inbox-entry' },
    h('div', { class: 'inbox-picture' }, shownPicture(entry)),
    h(
      'div',
      { class: 'stack tight' },
      h('h2', { tabindex: -1 }, `Answered “${answered}”`),
      saidLine(entry, labels),
      entry.note && h('p', {}, `“${entry.note}”`),
      h(
        'p',
        { class: 'muted small' },
        'Said ',
        timeElement(entry.created_at),
        ', of ',
        h('a', { href: hashFor('models', entry.model_id) }, 'this model'),
        entry.source_url && '; the picture is from ',
        entry.source_url && (outsideLink(entry.source_url, 'here') ?? entry.source_url),
        '.',
      ),
      outcome(entry) && h('p', {}, outcome(entry)),
    ),
  );
}
