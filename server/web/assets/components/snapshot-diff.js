/**
 * What differs between two snapshots: in numbers, and image by image.
 */
import { h, picture, replace } from '../lib/dom.js';
import { count, plural } from '../lib/format.js';
import { onlyNewest } from '../lib/newest.js';
import { diffSnapshots, findImage, thumbnailUrl } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { showFailure } from './notices.js';

/** @typedef {import('../lib/types.js').Snapshot} Snapshot */
/** @typedef {import('../lib/types.js').SnapshotDiff} SnapshotDiff */
/** @typedef {import('../lib/types.js').DiffItem} DiffItem */
/** @typedef {'added' | 'removed' | 'relabelled' | 'moved'} Kind */

/** Images shown of each kind; each thumbnail is looked up by its hash. */
const SHOWN = 24;

/** @type {[Kind, string, (item: DiffItem) => string][]} */
const KINDS = [
  ['added', 'Added', ({ label }) => label],
  ['removed', 'Removed', ({ label }) => label],
  ['relabelled', 'Relabelled', ({ label, before }) => `${before ?? ''} → ${label}`],
  ['moved', 'Changed sides', ({ split, before }) => `${before ?? ''} → ${split}`],
];

/**
 * @param {Snapshot} snapshot One of them.
 * @returns {string} Told apart by when and how many.
 */
const snapshotName = ({ created_at, counts }) =>
  `${created_at.slice(0, 16).replace('T', ' ')}, ${plural(counts.total, 'image')}`;

/**
 * @param {{datasetId: string, snapshots: Snapshot[], query: URLSearchParams, signal: AbortSignal}} options What may be
 *   compared, newest first; `a` and `b` of the address are what is.
 * @returns {HTMLElement} The choice of two, and what differs.
 */
export function snapshotDiff({ datasetId, snapshots, query, signal }) {
  const result = h('div', { class: 'stack', role: 'status', 'data-testid': 'diff' });
  const from = choice(snapshots, query.get('a') ?? snapshots[1]?.id, 'compare-a');
  const to = choice(snapshots, query.get('b') ?? snapshots[0]?.id, 'compare-b');
  const compare = async (/** @type {AbortSignal} */ asked) => {
    const address = hashFor('snapshots', datasetId, { a: from.value, b: to.value });
    history.replaceState(null, '', address);
    const diff = await diffSnapshots(from.value, to.value, asked);
    if (!asked.aborted) replace(result, ...drawDiff(diff, datasetId, signal));
  };
  const next = onlyNewest(signal);
  const run = () => {
    const asked = next();
    void compare(asked).catch((error) => showFailure(result, error, asked, run));
  };
  from.addEventListener('change', run);
  to.addEventListener('change', run);
  run();
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, 'Compare two'),
    h(
      'div',
      { class: 'compare' },
      h('label', { class: 'field' }, 'Before', from),
      h('label', { class: 'field' }, 'After', to),
    ),
    result,
  );
}

/**
 * @param {Snapshot[]} snapshots What may be chosen.
 * @param {string | undefined} chosen What is.
 * @param {string} testId For tests.
 * @returns {HTMLSelectElement} The list.
 */
function choice(snapshots, chosen, testId) {
  return h(
    'select',
    { 'data-testid': testId },
    ...snapshots.map((each) =>
      h('option', { value: each.id, selected: each.id === chosen }, snapshotName(each)),
    ),
  );
}

/**
 * @param {SnapshotDiff} diff From the server.
 * @param {string} datasetId Whose images.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement[]} A sentence, and the images of each kind.
 */
function drawDiff(diff, datasetId, signal) {
  const found = KINDS.filter(([kind]) => (diff.counts[kind] ?? diff[kind].length) > 0);
  const numbers = found.map(
    ([kind, title]) => `${title.toLowerCase()}: ${count(diff.counts[kind] ?? diff[kind].length)}`,
  );
  const same = diff.counts['same'];
  const sentence =
    numbers.length > 0 ? numbers.join(' · ') : 'Both hold the same images, labels and sides.';
  const rest = same === undefined ? '' : ` · the same: ${count(same)}`;
  return [
    h('p', { class: 'diff-counts' }, numbers.length > 0 ? `${sentence}${rest}` : sentence),
    ...found.map(([kind, title, words]) => kindList(title, diff[kind], words, datasetId, signal)),
  ];
}

/**
 * @param {string} title Of the kind.
 * @param {DiffItem[]} items Its images.
 * @param {(item: DiffItem) => string} words What to say of each.
 * @param {string} datasetId Whose they are.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The first of them as pictures.
 */
function kindList(title, items, words, datasetId, signal) {
  const rows = items.slice(0, SHOWN).map((item) => {
    const frame = h('span', { class: 'diff-frame' });
    // Removed from the dataset since, perhaps: its row stands for itself then.
    void drawThumbnail(item, frame, datasetId, signal).catch(() => undefined);
    return h(
      'li',
      { 'data-testid': 'diff-item' },
      frame,
      h('span', { class: 'small' }, words(item)),
    );
  });
  return h(
    'section',
    { class: 'stack tight' },
    h('h3', {}, title),
    h('ul', { class: 'plain diff-list' }, ...rows),
  );
}

/**
 * @param {DiffItem} item Whose thumbnail.
 * @param {HTMLElement} frame Filled.
 * @param {string} datasetId Whose image it is.
 * @param {AbortSignal} signal Of the page.
 */
async function drawThumbnail({ sha256, label }, frame, datasetId, signal) {
  const image = await findImage(datasetId, sha256, signal);
  if (!image) return;
  replace(
    frame,
    h(
      'a',
      { href: hashFor('images', image.id) },
      picture(thumbnailUrl(image.id), image.title ?? label, { width: 96, height: 96 }),
    ),
  );
}
