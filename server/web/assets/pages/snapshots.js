/**
 * The snapshots of a dataset: what each holds, what differs between two, and how to take one away.
 */
import { exportMenu } from '../components/export-menu.js';
import { hashCode } from '../components/facts.js';
import { emptyState, messagePlace, runAction } from '../components/notices.js';
import { snapshotDiff } from '../components/snapshot-diff.js';
import { explainRefusal } from '../components/train-panel.js';
import { h, replace } from '../lib/dom.js';
import { count, percent, timeElement } from '../lib/format.js';
import { createSnapshot, listSnapshots, readDataset } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Snapshot} Snapshot */

/**
 * @param {Snapshot} snapshot One of them.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} A row of the table.
 */
function snapshotRow(snapshot, signal) {
  const { counts, created_at, manifest_sha256, seed, valid_ratio } = snapshot;
  return h(
    'tr',
    { 'data-testid': 'snapshot' },
    h('th', { scope: 'row' }, timeElement(created_at)),
    h('td', { class: 'tabular' }, count(counts.total)),
    h('td', { class: 'tabular' }, count(counts.train)),
    h('td', { class: 'tabular' }, count(counts.valid)),
    h('td', { class: 'tabular' }, `${percent(valid_ratio, 0)}, seed ${String(seed)}`),
    h('td', {}, hashCode(manifest_sha256, 12)),
    h('td', {}, exportMenu(snapshot.id, signal)),
  );
}

/**
 * @param {Snapshot[]} snapshots Newest first.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The table.
 */
function snapshotTable(snapshots, signal) {
  const heads = ['Made', 'Images', 'Training', 'Validation', 'Split', 'Manifest', 'Take away'];
  return h(
    'div',
    { class: 'card scroll-x', tabindex: 0, role: 'region', 'aria-label': 'Snapshots' },
    h(
      'table',
      { class: 'wide is-list' },
      h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
      h('tbody', {}, ...snapshots.map((each) => snapshotRow(each, signal))),
    ),
  );
}

/**
 * @param {string} datasetId Whose snapshots.
 * @returns {HTMLElement} The button that makes one.
 */
function makeButton(datasetId) {
  const message = messagePlace();
  const make = async () => {
    await createSnapshot(datasetId, {});
    // The page is built anew by its own address.
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button primary',
      'data-testid': 'make-snapshot',
      onclick: () =>
        void runAction(button, message, make, (error) => explainRefusal(error, datasetId)),
    },
    'Make a snapshot',
  );
  return h('div', { class: 'stack tight' }, h('div', {}, button), message);
}

/**
 * Show the snapshots of a dataset.
 * @param {import('../lib/types.js').PageContext} context Where, whose, and until when.
 */
export async function show({ root, route, signal }) {
  const datasetId = route.id ?? '';
  const [dataset, { items }] = await Promise.all([
    readDataset(datasetId, signal),
    listSnapshots(datasetId, signal),
  ]);
  document.title = `Snapshots · ${dataset.name} · Bowerbird`;
  const newest = [...items].sort((a, b) => b.created_at.localeCompare(a.created_at));
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', datasetId) }, dataset.name)),
      h('h1', { tabindex: -1 }, 'Snapshots'),
      h(
        'p',
        { class: 'lead' },
        'A snapshot is the list of verified images, labels and sides that a training saw. It never changes.',
      ),
    ),
    h(
      'div',
      { class: 'stack' },
      makeButton(datasetId),
      newest.length > 0
        ? snapshotTable(newest, signal)
        : emptyState('No snapshot yet', 'A training makes one by itself.'),
      newest.length > 1 &&
        snapshotDiff({ datasetId, snapshots: newest, query: route.query, signal }),
    ),
  );
}
