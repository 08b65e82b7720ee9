/**
 * What the cleaner says beside a picture: what the model thinks, what was decided, what looks like it, how far one is.
 */
import { describe } from '../lib/cleaning.js';
import { h, picture, replace, spoken } from '../lib/dom.js';
import { count, percent, plural } from '../lib/format.js';
import { labelTag } from '../lib/labels.js';
import { listImages, thumbnailUrl } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { likenessNote, stackSize } from './image-notes.js';
import { emptyState } from './notices.js';
import { progressBar } from './progress.js';

/** @typedef {import('../lib/cleaning.js').Round} Round */
/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/types.js').Suspicion} Suspicion */

/** Shown of what was decided. */
const LATEST = 6;
/** Shown of what looks like an image; the rest is one press away. */
const ALIKE = 6;

/**
 * @param {Suspicion} item The image that is asked about.
 * @param {Round} round Where it stands.
 * @param {string[]} labels All labels.
 * @returns {HTMLElement[]} Its place, its label, what the model thinks and how sure it is, what was decided.
 */
export function verdict(item, round, labels) {
  const place = `${count(round.at + 1)} of ${count(round.size)}`;
  const agrees = item.predicted === item.label;
  const { decision } = round;
  const lines = [
    h(
      'p',
      { class: 'muted small' },
      spoken('Image '),
      `${place} · ${item.split === 'valid' ? 'validation' : 'training'} image · `,
      h('a', { href: hashFor('images', item.image_id) }, 'where it comes from'),
    ),
    h('p', {}, 'Labelled ', labelTag(item.label, labels)),
    h(
      'p',
      { class: 'answer' },
      agrees ? 'The model agrees: ' : 'The model thinks ',
      h('span', { 'data-testid': 'predicted' }, item.predicted),
    ),
    h(
      'p',
      {},
      `${percent(item.probability, 0)} sure`,
      !agrees && `; ${percent(item.label_probability)} for ${item.label}`,
      '.',
    ),
  ];
  if (decision) {
    const text = `Decided: ${describe(decision, item)}. Another key changes that.`;
    lines.push(h('p', { class: 'muted', 'data-testid': 'decided' }, text));
  }
  return lines;
}

/**
 * Show what looks like an image beside it: the same thing under another label is often the mistake. A failure leaves
 * the words alone, which stand for themselves.
 * @param {Image} image One that has been read.
 * @param {HTMLElement} place Where to put it.
 * @param {{labels: string[], signal: AbortSignal}} options All labels; until when.
 */
export async function drawAlike(image, place, { labels, signal }) {
  replace(place, likenessNote(image));
  if (stackSize(image) < 2) return;
  const query = { near_group: image.near_group, status: 'ready', limit: ALIKE + 1 };
  const page = await listImages(image.dataset_id, query, signal).catch(() => null);
  if (!page || place.dataset['id'] !== image.id) return;
  const others = page.items.filter((each) => each.id !== image.id).slice(0, ALIKE);
  place.append(
    h(
      'ul',
      { class: 'plain row clean-alike', 'data-testid': 'clean-alike' },
      ...others.map((each) =>
        h(
          'li',
          { class: each.excluded ? 'is-excluded' : '' },
          picture(thumbnailUrl(each.id), '', { width: 80, height: 60 }),
          labelTag(each.label, labels),
        ),
      ),
    ),
  );
}

/**
 * @param {Round} round The present one.
 * @param {{left: number, judged: number}} list Images that were open, and all that the model judged, when it began.
 * @returns {HTMLElement} How far one is through all of them, as the server counts, and what was decided in this round.
 */
export function cleanProgress(round, { left, judged }) {
  const { kept, relabelled, excluded } = round.tally;
  const after = left - round.size;
  return progressBar({
    // An image that was relabelled since may be counted under its former label only.
    done: Math.max(0, judged - left) + round.decided,
    total: Math.max(judged, left),
    label: 'Looked at',
    message:
      `In this round ${count(kept)} kept, ${count(relabelled)} relabelled, ${count(excluded)} excluded` +
      (after > 0 ? ` · ${count(after)} less suspicious ones after it` : ''),
  });
}

/**
 * @param {Round} round The present one.
 * @returns {(HTMLElement | false)[]} What was decided last, newest first.
 */
export function latestList(round) {
  const rows = round
    .latest(LATEST)
    .map(({ item, decision }) =>
      h(
        'li',
        { class: 'row' },
        picture(thumbnailUrl(item.image_id), '', { width: 40, height: 30 }),
        h('span', { class: 'small' }, describe(decision, item)),
      ),
    );
  return [
    rows.length > 0 && h('h2', { class: 'small-heading' }, 'Decided so far'),
    rows.length > 0 && h('ul', { class: 'plain stack tight clean-latest' }, ...rows),
  ];
}

/**
 * @param {{size: number, skipped: number, after: number}} round Its images, those not decided about, those after it.
 * @param {() => void} onNext Told that the person goes on.
 * @returns {HTMLElement} What stands where the picture was when the round is through.
 */
export function roundEnd({ size, skipped, after }, onNext) {
  if (size + after === 0) {
    return emptyState(
      'Nothing left to look at here',
      'Choose other images, or retrain to see whether it helped.',
    );
  }
  const left = skipped + after;
  const next = h(
    'button',
    {
      type: 'button',
      class: 'button primary',
      'data-testid': 'next-round',
      onclick: onNext,
    },
    `Go on with the next ones (${count(left)} left)`,
    h('kbd', {}, 'Enter'),
  );
  return emptyState(
    'That was the last image of this round',
    skipped > 0 ? `${plural(skipped, 'image')} skipped. ` : '',
    left > 0 ? next : 'Retrain to see whether it helped.',
  );
}
