/**
 * One image in the grid: its thumbnail with its label under it.
 */
import { h, picture } from '../lib/dom.js';
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
  const label = image.label ?? 'no label';
  const alt = [label, image.excluded ? 'excluded' : null, image.title].filter(Boolean).join(', ');
  return picture(thumbnailUrl(image.id), alt, { width: 160, height: 160 });
}

/**
 * @param {Image} image What the tile shows.
 * @param {string[]} labels All labels.
 * @returns {HTMLElement[]} The inside of its button.
 */
export function tileContent(image, labels) {
  const label = image.label ?? 'no label';
  return [
    tilePicture(image),
    h(
      'span',
      { class: `tile-label ${labelColour(label, labels)}`, 'aria-hidden': 'true' },
      image.excluded ? `✕ ${label}` : label,
    ),
  ];
}
