/**
 * Images that are, or look, the same: conflicts (the same bytes under two labels) and stacks, the best of each first.
 */
import { h, picture, replace } from '../lib/dom.js';
import { count, plural } from '../lib/format.js';
import { labelTag } from '../lib/labels.js';
import { onlyNewest } from '../lib/newest.js';
import { listConflicts, listStacks, thumbnailUrl } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { emptyState, loadingNote, showFailure } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/types.js').Stack} Stack */
/** @typedef {import('../lib/types.js').Conflict} Conflict */
/** @typedef {import('./labelling.js').Labelling} Labelling */

/** Stacks read at once. */
const PAGE = 20;
/** Images shown of each; the whole stack is one press away. */
const SHOWN = 7;

/**
 * @param {Image} image One of a stack.
 * @param {boolean} isBest Whether it is the first of it.
 * @param {string[]} labels All labels.
 * @returns {HTMLElement} Its thumbnail with its label.
 */
function stackImage(image, isBest, labels) {
  const words = [
    image.label ?? 'no label',
    isBest ? 'best' : null,
    image.excluded ? 'excluded' : null,
  ];
  const size = image.width && image.height ? `${count(image.width)} × ${count(image.height)}` : '';
  return h(
    'li',
    {
      class: ['stack-image', isBest && 'is-best', image.excluded && 'is-excluded']
        .filter(Boolean)
        .join(' '),
      'data-testid': 'stack-image',
    },
    h(
      'a',
      { href: hashFor('images', image.id) },
      picture(thumbnailUrl(image.id), words.filter(Boolean).join(', '), {
        width: 112,
        height: 112,
      }),
    ),
    labelTag(image.label, labels),
    h('span', { class: 'muted' }, [isBest ? 'best' : null, size].filter(Boolean).join(' · ')),
  );
}

/**
 * @param {Stack} stack Images that look alike.
 * @param {string} datasetId Whose they are.
 * @param {Labelling} labelling What its button does.
 * @returns {{node: HTMLElement, follow: (images: Image[]) => void}} The stack; `follow` shows its images as they are now.
 */
function stackCard(stack, datasetId, labelling) {
  const node = h('li', { class: 'card stack tight', 'data-testid': 'stack' });
  let { images } = stack;
  const draw = () => {
    const rest = images.slice(1).filter((image) => !image.excluded);
    const exclude = () => void labelling.actions.apply(rest, { excluded: true });
    const href = hashFor('datasets', datasetId, { near_group: stack.near_group, sort: '-size' });
    const hadFocus = node.contains(document.activeElement);
    const button = h(
      'button',
      { type: 'button', class: 'button small', disabled: rest.length === 0, onclick: exclude },
      `Keep the best, exclude ${plural(rest.length, 'other')}`,
    );
    const open = h('a', { class: 'button small', href }, `Open all ${count(stack.count)}`);
    replace(
      node,
      h(
        'ul',
        { class: 'plain stack-row' },
        ...images.slice(0, SHOWN).map((image, at) => stackImage(image, at === 0, labelling.labels)),
      ),
      h('div', { class: 'row' }, open, button),
    );
    if (hadFocus) (rest.length > 0 ? button : open).focus();
  };
  draw();
  const follow = (/** @type {Image[]} */ now) => {
    const known = new Map(now.map((image) => [image.id, image]));
    if (!images.some((image) => known.has(image.id))) return;
    images = images.map((image) => known.get(image.id) ?? image);
    draw();
  };
  return { node, follow };
}

/**
 * @param {Conflict} conflict The same bytes under several labels.
 * @param {string[]} labels All labels.
 * @returns {HTMLElement} Its labels, each leading to its image.
 */
function conflictCard({ images }, labels) {
  const first = images[0];
  return h(
    'li',
    { class: 'card row', 'data-testid': 'conflict' },
    first &&
      h(
        'span',
        { class: 'stack-image' },
        picture(thumbnailUrl(first.id), '', { width: 112, height: 112 }),
      ),
    h(
      'div',
      { class: 'grow stack tight' },
      h('p', {}, 'The same image has several labels; a snapshot is refused until one is left.'),
      h(
        'ul',
        { class: 'plain row' },
        ...images.map(({ id, label }) =>
          h('li', {}, h('a', { href: hashFor('images', id) }, labelTag(label, labels))),
        ),
      ),
    ),
  );
}

/**
 * @param {HTMLElement} place Filled; emptied when there is no conflict.
 * @param {string} datasetId Whose images.
 * @param {string[]} labels All labels.
 * @param {AbortSignal} signal Of the view.
 */
async function drawConflicts(place, datasetId, labels, signal) {
  const page = await listConflicts(datasetId, { limit: PAGE }, signal);
  const shown = page.items.map((each) => conflictCard(each, labels));
  replace(
    place,
    page.total > 0 &&
      h(
        'section',
        { class: 'stack tight' },
        h('h2', {}, `Conflicts: ${count(page.total)}`),
        h('ul', { class: 'plain stack' }, ...shown),
      ),
  );
}

/**
 * @param {import('../lib/types.js').Page<Stack>} page The last one that was read.
 * @param {(cursor: string) => void} onMore Told of a press.
 * @returns {import('../lib/dom.js').Child[]} What stands below the stacks.
 */
function stacksFoot({ next_cursor, total }, onMore) {
  return [
    total === 0 &&
      emptyState(
        'Nothing looks alike',
        'Images that are nearly the same are stacked here, the best first.',
      ),
    next_cursor !== null &&
      h(
        'button',
        { type: 'button', class: 'button', onclick: () => onMore(next_cursor) },
        'Show more',
      ),
  ];
}

/**
 * @param {{datasetId: string, labelling: Labelling, signal: AbortSignal}} options Whose images.
 * @returns {{node: HTMLElement, refresh: () => void}} The view.
 */
export function alikeView({ datasetId, labelling, signal }) {
  const conflicts = h('div', {});
  const list = h('ul', { class: 'plain stack', 'data-testid': 'stacks' });
  const foot = h('div', {}, loadingNote());
  /** @type {((images: Image[]) => void)[]} */
  const followers = [];

  const load = async (/** @type {string | null} */ cursor, /** @type {AbortSignal} */ asked) => {
    const page = await listStacks(datasetId, { cursor, limit: PAGE }, asked);
    const cards = page.items.map((stack) => stackCard(stack, datasetId, labelling));
    const isAnew = cursor === null;
    const left = isAnew ? [list, foot] : [foot];
    const hadFocus = left.some((place) => place.contains(document.activeElement));
    if (isAnew) {
      followers.length = 0;
      replace(list);
    }
    list.append(...cards.map((card) => card.node));
    followers.push(...cards.map((card) => card.follow));
    replace(foot, ...stacksFoot(page, more));
    // Who pressed “Show more”, or stood in what was read anew, goes on with what came.
    if (hadFocus) cards[0]?.node.querySelector('a')?.focus();
  };
  // What was asked for before a second press, or before all is read anew, would stand there twice.
  const nextPage = onlyNewest(signal);
  const more = (/** @type {string | null} */ cursor) => {
    const asked = nextPage();
    void load(cursor, asked).catch((error) => showFailure(foot, error, asked, () => more(cursor)));
  };
  const nextConflicts = onlyNewest(signal);
  const readConflicts = () => {
    const asked = nextConflicts();
    void drawConflicts(conflicts, datasetId, labelling.labels, asked).catch((error) =>
      showFailure(conflicts, error, asked, readConflicts),
    );
  };
  const start = () => {
    readConflicts();
    more(null);
  };
  labelling.listen(
    {
      onImages: (images) => followers.forEach((follow) => follow(images)),
      onUnknown: start,
    },
    signal,
  );
  start();
  // New images arrive at the end of the stacks' order; what is read is not moved under the hand.
  return { node: h('div', { class: 'stack' }, conflicts, list, foot), refresh: () => undefined };
}
