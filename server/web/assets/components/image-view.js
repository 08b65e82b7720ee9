/**
 * A dataset's images as a grid with its loupe, following filters and live counts.
 */
import { h } from '../lib/dom.js';
import { labelNames } from '../lib/labels.js';
import { listImages } from '../lib/resources.js';
import { emptyGrid, Grid } from './grid.js';
import { applyChange } from './image-controls.js';
import { openLoupe } from './loupe.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {{status: string, label: string | null, excluded: boolean}} Filter */

/** @type {Record<string, [string, string]>} */
const EMPTY = {
  ready: [
    'No image here yet',
    'Search the web for what this dataset is about and press Capture in the extension, or drop files under “Add your own images”.',
  ],
  queued: ['Nothing is waiting', 'Every address has been fetched.'],
  downloading: ['Nothing is being fetched', 'Every address has been fetched.'],
  duplicate: [
    'No duplicates',
    'Images with the same bytes as another one of this dataset are listed here.',
  ],
};

/**
 * @param {Image} image A duplicate.
 * @returns {HTMLElement | null} Of which image it is a copy.
 */
function duplicateNote(image) {
  if (!image.duplicate_of) return null;
  return h(
    'p',
    {},
    'The same bytes as ',
    h('a', { href: `#/images/${image.duplicate_of}?dataset=${image.dataset_id}` }, 'this image'),
    '; training sees them once.',
  );
}

/**
 * @param {{dataset: Dataset, filter: Filter, signal: AbortSignal}} options What to show.
 * @returns {{node: HTMLElement, refresh: () => void}} The view.
 */
export function imageView({ dataset, filter, signal }) {
  const labels = labelNames(dataset);
  const query = {
    status: filter.status,
    label: filter.label,
    excluded: filter.status === 'ready' ? filter.excluded : null,
  };
  const onChange = (/** @type {Image} */ image) => grid.update(image);
  const [title, next] = EMPTY[filter.status] ?? ['Nothing here', ''];
  const grid = new Grid({
    load: (page) => listImages(dataset.id, { ...query, ...page }, signal),
    labels,
    empty: filter.excluded
      ? emptyGrid('Nothing is excluded', 'Press X on an image to keep it out of training.')
      : emptyGrid(title, next),
    signal,
    onExclude: (image) => void applyChange(image, { excluded: !image.excluded }, onChange),
    onOpen: (index) => {
      if (filter.status === 'queued' || filter.status === 'downloading') return;
      let last = index;
      void openLoupe({
        items: () => grid.items,
        index,
        labels,
        signal,
        onChange,
        onMove: (now) => {
          last = now;
          // Near the end of what is loaded: have the next page ready.
          if (now > grid.items.length - 10) void grid.loadMore();
        },
        extra: duplicateNote,
      }).then(() => grid.focus(last));
    },
  });
  void grid.refresh();
  return { node: grid.node, refresh: () => void grid.refresh() };
}
