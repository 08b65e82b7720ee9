/** Leaves out images by what the page declares of their size. */

/** @typedef {import('./types.js').Candidate} Candidate */
/** @typedef {import('./types.js').Filters} Filters */

/** @type {Readonly<Filters>} Lets everything through. */
export const NO_FILTERS = Object.freeze({ min_side_px: 0, shape: 'any' });

/**
 * Width divided by height, from and to. A photo's usual 4:3 is landscape, not square; banners and
 * columns, beyond 2:1, rarely are pictures of one thing.
 *
 * @type {Readonly<Record<Filters['shape'], readonly [number, number]>>}
 */
const ASPECTS = Object.freeze({
  any: [0, Infinity],
  moderate: [1 / 2, 2],
  landscape: [1.15, Infinity],
  square: [1 / 1.15, 1.15],
  portrait: [0, 1 / 1.15],
});

/**
 * Tell whether an image passes. One without a declared size does: nobody knows better yet, and the
 * server measures it.
 *
 * @param {Candidate} candidate The image.
 * @param {Filters} filters What to leave out.
 * @returns {boolean} True when it is to be kept.
 */
export function passes({ width, height }, { min_side_px, shape }) {
  // One side says little of the shape, but enough to be too short.
  if (Math.min(width ?? Infinity, height ?? Infinity) < min_side_px) return false;
  if (width === null || height === null) return true;
  const [least, most] = ASPECTS[shape] ?? ASPECTS.any;
  return width / height >= least && width / height <= most;
}
