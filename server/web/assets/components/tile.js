/**
 * One image in the grid: its thumbnail with its label under it, and what there is to know at a glance.
 */
import { h, picture, spoken } from '../lib/dom.js';
import { HINT_WORDS } from '../lib/filters.js';
import { count } from '../lib/format.js';
import { labelColour } from '../lib/labels.js';
import { thumbnailUrl } from '../lib/resources.js';

/** @typedef {import('../lib/types.js').Image} Image */

/**
 * @param {Image} image What the tile shows.
 * @returns {HTMLElement} Its thumbnail, or why there is none yet.
 */
function tilePicture(image) {
  if (image.status === 'queued' || image.status === 'downloading') {
    const text = image.status === 'queued' ? 'Waiting' : 'Fetching…';
    return h('span', { class: 'tile-wait' }, text);
  }
  // The cell's own name says it all.
  return picture(thumbnailUrl(image.id), '', { width: 160, height: 160 });
}

/**
 * @param {Image} image An image.
 * @returns {string[]} What may be wrong with how it looks, in words.
 */
function hintWords(image) {
  return (image.hints ?? []).map(({ name }) => HINT_WORDS[name] ?? name);
}

/**
 * @param {Image} image What the tile shows.
 * @param {number} stackSize Images that look alike, with this one.
 * @returns {string} What eyes see by marks alone, in words.
 */
function tileState(image, stackSize) {
  return [
    image.excluded ? 'excluded' : null,
    image.reviewed_at ? 'reviewed' : null,
    stackSize > 1 ? `stack of ${String(stackSize)} alike` : null,
    image.title,
  ]
    .filter(Boolean)
    .map((words) => `, ${words ?? ''}`)
    .join('');
}

/**
 * @param {Image} image What the tile shows.
 * @param {string[]} labels All labels.
 * @param {number} stackSize Images that look alike, with this one.
 * @returns {(HTMLElement | null)[]} The inside of its cell, and with it the cell's name: the label comes first.
 */
export function tileContent(image, labels, stackSize) {
  const label = image.label ?? 'no label';
  const hints = hintWords(image);
  return [
    tilePicture(image),
    h('span', { class: 'tile-check', 'aria-hidden': 'true' }),
    h(
      'span',
      { class: `tile-label ${labelColour(label, labels)}` },
      h('span', { class: 'tile-name' }, label),
      image.reviewed_at ? h('span', { class: 'tile-reviewed', 'aria-hidden': 'true' }, '✓') : null,
    ),
    spoken(tileState(image, stackSize)),
    hints.length > 0
      ? h('span', { class: 'tile-hint' }, spoken(', looks '), hints.join(' · '))
      : null,
    stackSize > 1
      ? h('span', { class: 'tile-stack', 'aria-hidden': 'true' }, `≈ ${String(stackSize)}`)
      : null,
  ];
}

/**
 * @param {Image} image What the tile shows.
 * @param {number} stackSize Images that look alike, with this one.
 * @returns {string} Changes whenever the tile must be drawn anew.
 */
export function tileKey(image, stackSize) {
  const { id, status, label, excluded, reviewed_at } = image;
  const hints = hintWords(image).join();
  return [id, status, label ?? '', excluded, reviewed_at !== null, hints, stackSize].join('|');
}

/**
 * @param {number} index Whose page is on its way.
 * @returns {HTMLElement[]} What its tile shows until then.
 */
export const waitingContent = (index) => [
  h('span', { class: 'tile-wait' }),
  spoken(`Image ${count(index + 1)}, on its way`),
];
