/**
 * A dataset on the home page: name, counts, the newest images, how good its live model is.
 */
import { h, picture, replace } from '../lib/dom.js';
import { count, percent, plural, timeElement } from '../lib/format.js';
import { listImages, thumbnailUrl } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** As many as fit the narrowest card. */
const STRIP = 5;

/**
 * @param {import('../lib/types.js').Dataset} dataset Which one.
 * @param {HTMLElement} strip Filled with thumbnails; its height is fixed, so that nothing jumps.
 * @param {AbortSignal} signal Of the page.
 */
async function fillStrip(dataset, strip, signal) {
  const page = await listImages(
    dataset.id,
    { status: 'ready', excluded: false, limit: STRIP },
    signal,
  );
  replace(
    strip,
    ...page.items.map((image) =>
      picture(thumbnailUrl(image.id), image.label ?? '', { width: 64, height: 64 }),
    ),
  );
}

/**
 * @param {import('../lib/types.js').Dataset} dataset Which one.
 * @param {import('../lib/types.js').Model | null} model Its live model.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The card; its heading is the link.
 */
export function datasetCard(dataset, model, signal) {
  const { counts } = dataset;
  const strip = h('div', { class: 'strip' });
  if (counts.status.ready > 0) void fillStrip(dataset, strip, signal).catch(() => undefined);
  const waiting = counts.status.queued + counts.status.downloading;
  return h(
    'li',
    { class: 'card dataset-card', 'data-testid': 'dataset-card' },
    h('h3', {}, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
    h(
      'p',
      { class: 'muted' },
      `${plural(counts.status.ready, 'image')} · ${plural(Object.keys(counts.labels).length, 'label')}`,
      waiting > 0 && ` · ${count(waiting)} on the way`,
    ),
    strip,
    h(
      'p',
      { class: 'row between small' },
      model
        ? h('span', { class: 'badge good' }, `Live · ${percent(model.metrics.error_rate)} error`)
        : h('span', { class: 'badge' }, 'No model yet'),
      h('span', { class: 'muted' }, 'made ', timeElement(dataset.created_at)),
    ),
  );
}
