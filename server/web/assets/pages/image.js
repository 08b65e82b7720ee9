/**
 * One image by its address, as links from messages need it. Walking through many is the loupe's.
 */
import { imageFacts, sightingList } from '../components/facts.js';
import { applyChange } from '../components/loupe.js';
import { h, replace } from '../lib/dom.js';
import { explainReason, STATUS_WORDS } from '../lib/explain.js';
import { labelNames, labelTag } from '../lib/labels.js';
import { fileUrl, readDataset, readImage } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Image} Image */

/**
 * @param {Image} image What it is.
 * @param {string[]} labels All labels of its dataset.
 * @param {(image: Image) => void} onChange Told after a change.
 * @returns {HTMLElement} Relabel and exclude.
 */
function controls(image, labels, onChange) {
  const select = h(
    'select',
    { onchange: () => void applyChange(image, { label: select.value }, onChange) },
    image.label === null && h('option', { value: '', selected: true, disabled: true }, 'no label'),
    ...labels.map((name) => h('option', { value: name, selected: name === image.label }, name)),
  );
  const exclude = () => void applyChange(image, { excluded: !image.excluded }, onChange);
  return h(
    'div',
    { class: 'row' },
    h('label', { class: 'field inline' }, 'Label', select),
    h(
      'button',
      { type: 'button', class: 'button', 'aria-pressed': String(image.excluded), onclick: exclude },
      image.excluded ? 'Include again' : 'Exclude',
    ),
  );
}

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
  const draw = (/** @type {Image} */ now) =>
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
      controls(now, labels, draw),
      imageFacts(now),
      image.sightings && image.sightings.length > 0 && sightingList(image.sightings),
    );
  draw(image);
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
