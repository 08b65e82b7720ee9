/**
 * What is said beside a dataset's images: why there are none, and which are like one another.
 */
import { h } from '../lib/dom.js';
import { withoutFilters } from '../lib/filters.js';
import { hashFor } from '../lib/router.js';
import { emptyState } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */

/** @type {Record<string, [string, string]>} */
const EMPTY = {
  ready: [
    'No image here yet',
    'Search the web for what this dataset is about and press Capture in the extension, drop files under “Add your own images”, or import a folder, a zip, a tar or a CSV there.',
  ],
  queued: ['Nothing is waiting', 'Every address has been fetched.'],
  downloading: ['Nothing is being fetched', 'Every address has been fetched.'],
  duplicate: [
    'No duplicates',
    'Images with the same bytes as another one of this dataset are listed here.',
  ],
};

/**
 * @param {Image} image A duplicate, or one of a stack.
 * @returns {HTMLElement | null} Of which image it is a copy, and where its likes are.
 */
export function likenessNote(image) {
  if (image.duplicate_of) {
    const href = `#/images/${image.duplicate_of}?dataset=${image.dataset_id}`;
    return h(
      'p',
      {},
      'The same bytes as ',
      h('a', { href }, 'this image'),
      '; training sees them once.',
    );
  }
  if (stackSize(image) < 2) return null;
  const href = stackAddress(image);
  return h(
    'p',
    {},
    `One of ${String(stackSize(image))} images that look alike: `,
    h('a', { href }, 'see them all'),
    '.',
  );
}

/**
 * @param {Image} image An image.
 * @returns {number} How many look like it, itself included; 1 when that is not known.
 */
export const stackSize = (image) => image.near_count ?? 1;

/**
 * @param {Image} image One of a stack.
 * @returns {string} Where all of it is shown, the largest first.
 */
export const stackAddress = (image) =>
  hashFor('datasets', image.dataset_id, { near_group: image.near_group, sort: '-size' });

/**
 * @param {string} datasetId Whose images.
 * @param {URLSearchParams} query The page's address.
 * @param {string} status The state whose images are shown.
 * @returns {HTMLElement} Why there is nothing.
 */
export function emptyNote(datasetId, query, status) {
  const bare = withoutFilters(query);
  if ([...query.keys()].some((name) => name !== 'status' && name !== 'sort')) {
    const href = hashFor('datasets', datasetId, bare);
    return emptyState('No image matches', h('a', { href }, 'Take the filters away'));
  }
  return emptyState(...(EMPTY[status] ?? ['Nothing here', '']));
}
