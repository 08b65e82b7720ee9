/**
 * One image by its address, as links from messages need it. Walking through many is the loupe's.
 */
import { imageFacts, sightingList } from '../components/facts.js';
import { applyChange, imageControls } from '../components/image-controls.js';
import { h, replace } from '../lib/dom.js';
import { explainReason, STATUS_WORDS } from '../lib/explain.js';
import { labelNames, labelTag } from '../lib/labels.js';
import { fileUrl, readDataset, readImage } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Image} Image */

/**
 * Show an image.
 * @param {import('../lib/types.js').PageContext} context Where, which, and until when.
 */
export async function show({ root, route, signal }) {
  const image = await readImage(route.id ?? '', signal);
  const dataset = await readDataset(image.dataset_id, signal);
  const labels = labelNames(dataset);
  document.title = `Image · ${dataset.name} · Bowerbird`;
  const hasFile = image.status === 'ready' || image.status === 'duplicate';
  const side = h('div', { class: 'stack' });
  let shown = image;
  const draw = (/** @type {Image} */ now) => {
    shown = now;
    replace(
      side,
      h(
        'p',
        {},
        labelTag(now.label, labels),
        ' ',
        h('span', { class: 'badge' }, STATUS_WORDS[now.status]),
      ),
      now.status === 'rejected' && h('p', {}, explainReason(now.reason).text, ' ', now.detail),
      imageControls(now, labels, (change) => void applyChange(now, change, draw)),
      imageFacts(now),
      image.sightings && image.sightings.length > 0 && sightingList(image.sightings),
    );
  };
  draw(image);
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const isTyping = event.target instanceof HTMLElement && event.target.matches('input, select');
    if (event.key !== 'x' || isTyping || event.ctrlKey || event.metaKey) return;
    void applyChange(shown, { excluded: !shown.excluded }, draw);
  };
  document.addEventListener('keydown', onKey, { signal });
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
      h('h1', { tabindex: -1 }, image.title ?? 'Image'),
    ),
    h(
      'div',
      { class: 'columns' },
      h(
        'div',
        { class: 'card' },
        hasFile &&
          h('img', { class: 'photo', src: fileUrl(image.id), alt: image.label ?? 'Image' }),
      ),
      side,
    ),
  );
}
