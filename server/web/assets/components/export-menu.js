/**
 * A snapshot taken away: its formats as links, so that the browser itself downloads, shows how far it is, and goes on
 * where a download was cut; each with its size and the tag of its bytes.
 */
import { h, replace } from '../lib/dom.js';
import { bytes } from '../lib/format.js';
import { exportUrl, listExports, readExport } from '../lib/resources.js';
import { errorCard, loadingNote } from './notices.js';

/** @type {Record<string, string>} */
const FORMATS = {
  folder: 'Image folder (zip)',
  webdataset: 'WebDataset (tar)',
  hf: 'Hugging Face imagefolder (zip)',
  csv: 'Table (CSV)',
  parquet: 'Table (Parquet)',
  croissant: 'Croissant (JSON-LD)',
  datasheet: 'Datasheet (Markdown)',
};
/** Parts listed of one format; the address tells how the others are called. */
const MAX_PARTS = 100;

/**
 * @param {{url: string, title: string, testId: string}} file One of the exports.
 * @param {AbortSignal} signal Of the page.
 * @returns {{node: HTMLElement, measure: () => Promise<void>}} Its line; `measure` adds size and tag.
 */
function exportLine({ url, title, testId }, signal) {
  const about = h('span', { class: 'muted tabular' });
  const node = h(
    'li',
    {},
    h('a', { href: url, download: true, 'data-testid': testId }, title),
    ' ',
    about,
  );
  const measure = async () => {
    const { size_bytes, etag } = await readExport(url, signal);
    replace(
      about,
      bytes(size_bytes),
      ' · ',
      h('code', { title: `ETag of these bytes: ${etag}`, 'data-etag': etag }, etag.slice(0, 12)),
    );
  };
  return { node, measure };
}

/**
 * @param {string} id Of a snapshot.
 * @param {{format: string, shards: number}} found One of its formats.
 * @returns {{url: string, title: string, testId: string}[]} Its file, and its parts where it comes in several.
 */
function filesOf(id, { format, shards }) {
  const title = FORMATS[format] ?? format;
  const testId = `export-${format}`;
  const whole = { url: exportUrl(id, format), title, testId };
  if (shards <= 1) return [whole];
  const parts = Array.from({ length: Math.min(shards, MAX_PARTS) }, (_, shard) => ({
    url: exportUrl(id, format, shard),
    title: `${title}, part ${String(shard + 1)} of ${String(shards)}`,
    testId: `${testId}-${String(shard)}`,
  }));
  return [whole, ...parts];
}

/**
 * @param {string} id Of a snapshot.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} Its formats, asked for when it is opened: some are laid out whole before their size is known.
 */
export function exportMenu(id, signal) {
  const place = h('div', {}, loadingNote());
  const details = h(
    'details',
    { class: 'export', 'data-testid': 'export' },
    h('summary', {}, 'Export'),
    place,
  );
  const draw = async () => {
    const { items } = await listExports(id, signal);
    const lines = items
      .flatMap((item) => filesOf(id, item))
      .map((file) => exportLine(file, signal));
    replace(place, h('ul', { class: 'plain small' }, ...lines.map(({ node }) => node)));
    // One after the other: what is laid out for a size is laid out by the disk. A link without it is still a link.
    for (const { measure } of lines) await measure();
  };
  let isAsked = false;
  const run = () =>
    void draw().catch((error) => {
      isAsked = false;
      if (!signal.aborted) place.prepend(errorCard(error));
    });
  details.addEventListener('toggle', () => {
    if (!details.open || isAsked) return;
    isAsked = true;
    run();
  });
  return details;
}
