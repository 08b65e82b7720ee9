/**
 * One image by its address, as links from messages need it. Walking through many is the loupe's.
 */
import { imageFacts } from '../components/facts.js';
import { imageControls, replaceControls } from '../components/image-controls.js';
import { drawStory, qualityFacts } from '../components/image-story.js';
import { Labelling } from '../components/labelling.js';
import { openSiteRemoval } from '../components/site-removal.js';
import { h, replace } from '../lib/dom.js';
import { explainReason, STATUS_WORDS } from '../lib/explain.js';
import { siteOf } from '../lib/format.js';
import { commandFor, isHeldDecision, listenToKeys } from '../lib/keymap.js';
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
  const labelling = new Labelling(dataset.id, labelNames(dataset));
  document.title = `Image · ${dataset.name} · Bowerbird`;
  const side = h('div', { class: 'stack' });
  const story = h('div', { class: 'stack' });
  let shown = image;
  const draw = (/** @type {Image} */ now) => {
    shown = now;
    const about = [...aboutImage(now, labelling), feedbackNote(image)];
    replaceControls(side, ...about, story, removalButtons(now, signal));
    void drawStory(now.id, story, signal);
  };
  draw(image);
  labelling.listen(
    {
      onImages: ([now]) => now && draw(now),
      onUnknown: () => void readImage(image.id, signal).then(draw, () => undefined),
    },
    signal,
  );
  listenToKeys((event) => {
    const command = commandFor(event, labelling.keys);
    if (command === null) return false;
    return isHeldDecision(event, command) || labelling.run(command, [shown]) !== null;
  }, signal);
  replace(root, pageHead(image, dataset), h('div', { class: 'columns' }, photo(image), side));
}

/**
 * @param {Image} image As it is now.
 * @param {Labelling} labelling What its buttons do.
 * @returns {import('../lib/dom.js').Child[]} Its state, its controls and its facts.
 */
function aboutImage(image, labelling) {
  const { labels } = labelling;
  return [
    h(
      'p',
      {},
      labelTag(image.label, labels),
      ' ',
      h('span', { class: 'badge' }, STATUS_WORDS[image.status]),
    ),
    image.status === 'rejected' && h('p', {}, explainReason(image.reason).text, ' ', image.detail),
    imageControls(image, labels, (command) => void labelling.run(command, [image])),
    imageFacts(image),
    qualityFacts(image),
  ];
}

/**
 * @param {Image} image As it was read: answers to changes do not say it.
 * @returns {HTMLElement | null} What it means that it came by feedback.
 */
const feedbackNote = ({ train_only }) =>
  train_only
    ? h('p', {}, 'It came by feedback: models learn from it and are never measured by it.')
    : null;

/**
 * @param {Image} image What is shown.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement | null} For each site that it is of, the way to remove all of that; nothing for an upload.
 */
function removalButtons({ url, source_url, dataset_id }, signal) {
  const sites = [...new Set([siteOf(url), siteOf(source_url)])].filter((site) => site !== null);
  if (sites.length === 0) return null;
  const open = async (/** @type {string} */ site) => {
    const isRemoved = await openSiteRemoval({ site, datasetId: dataset_id, signal });
    if (isRemoved) location.hash = hashFor('datasets', dataset_id);
  };
  const buttons = sites.map((site) =>
    h(
      'button',
      {
        type: 'button',
        class: 'button small',
        'data-testid': 'remove-site',
        onclick: () => void open(site),
      },
      `Remove everything of ${site}…`,
    ),
  );
  return h('div', { class: 'row' }, ...buttons);
}

/**
 * @param {Image} image What is shown.
 * @param {import('../lib/types.js').Dataset} dataset Whose it is.
 * @returns {HTMLElement} The way back, and the title.
 */
function pageHead(image, dataset) {
  return h(
    'header',
    { class: 'page-head' },
    h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
    h('h1', { tabindex: -1 }, image.title ?? 'Image'),
  );
}

/**
 * @param {Image} image What is shown.
 * @returns {HTMLElement} It, where there are bytes of it.
 */
function photo(image) {
  const hasFile = image.status === 'ready' || image.status === 'duplicate';
  const alt = image.label ?? 'Image';
  return h(
    'div',
    { class: 'card' },
    hasFile && h('img', { class: 'photo', src: fileUrl(image.id), alt }),
  );
}
