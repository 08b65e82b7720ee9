/**
 * Import into a dataset: what can be, and the panel that does it.
 */
import { importPanel } from '../components/import-panel.js';
import { h, replace } from '../lib/dom.js';
import { watchDataset } from '../lib/live.js';
import { readDataset } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @returns {HTMLElement} What can be imported, and where labels come from. */
function whatCanBe() {
  const line = (/** @type {string} */ what, /** @type {string} */ how) =>
    h('li', {}, h('strong', {}, what), ` ${how}`);
  return h(
    'aside',
    { class: 'card stack tight' },
    h('h2', {}, 'What can be imported'),
    h(
      'ul',
      { class: 'ways small' },
      line('A folder', 'whose folders are the labels: grizzly/1.jpg.'),
      line('A zip or a tar', 'of the same, also with train and valid around the labels.'),
      line('An imagefolder', 'of Hugging Face: its metadata.csv names the labels.'),
      line('WebDataset', 'shards: the label stands in key.cls or key.json beside key.jpg.'),
      line('A CSV', 'with the columns url and label: the addresses are fetched as captures are.'),
    ),
    h(
      'p',
      { class: 'muted small' },
      'Every image is read whole before it is taken. The same file again adds nothing twice.',
    ),
  );
}

/**
 * Show the page.
 * @param {import('../lib/types.js').PageContext} context Where, into which dataset, and until when.
 */
export async function show({ root, route, signal }) {
  const dataset = await readDataset(route.id ?? '', signal);
  document.title = `Import · ${dataset.name} · Bowerbird`;
  const panel = importPanel({ datasetId: dataset.id, total: dataset.counts.total, signal });
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
      h('h1', { tabindex: -1 }, `Import into ${dataset.name}`),
      h(
        'p',
        { class: 'lead' },
        'The file is looked through first; nothing is added before you say so.',
      ),
    ),
    h('div', { class: 'columns' }, panel.node, whatCanBe()),
  );
  watchDataset(
    dataset.id,
    {
      onChange: (now) => panel.update(now.counts.total),
      onDeleted: () => (location.hash = hashFor('home')),
    },
    signal,
  );
}
