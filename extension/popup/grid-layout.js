/** Where tiles of one size lie in a grid, and which of them are in sight. Lengths are CSS pixels. */

/** Four of them fit the popup, three a window of 320 pixels. */
const MIN_SIDE_PX = 80;
const GAP_PX = 8;

/**
 * @typedef {object} GridLayout
 * @property {number} count How many tiles.
 * @property {number} columns How many in a row; at least one.
 * @property {number} side_px Width and height of a tile.
 * @property {number} pitch_px From one tile to the next.
 * @property {number} height_px Height of all rows.
 */

/**
 * Lay tiles out.
 *
 * @param {number} widthPx Room for a row; 0 while nothing is shown.
 * @param {number} count How many tiles.
 * @returns {GridLayout} Tiles that fill the width.
 */
export function layOut(widthPx, count) {
  const columns = Math.max(1, Math.floor((widthPx + GAP_PX) / (MIN_SIDE_PX + GAP_PX)));
  const side_px = Math.max(MIN_SIDE_PX, (widthPx - GAP_PX * (columns - 1)) / columns);
  const pitch_px = side_px + GAP_PX;
  const height_px = Math.max(0, Math.ceil(count / columns) * pitch_px - GAP_PX);
  return { count, columns, side_px, pitch_px, height_px };
}

/**
 * Find the tiles of the rows that are in sight.
 *
 * @param {GridLayout} layout Where tiles lie.
 * @param {number} fromPx Upper edge of what is in sight, from the grid's own.
 * @param {number} toPx Lower edge.
 * @returns {{first: number, end: number}} Place of the first tile, and of the first one beyond.
 */
export function findInSight({ count, columns, pitch_px }, fromPx, toPx) {
  const firstRow = Math.max(0, Math.floor(fromPx / pitch_px));
  const endRow = Math.max(firstRow, Math.ceil(toPx / pitch_px));
  return { first: Math.min(count, firstRow * columns), end: Math.min(count, endRow * columns) };
}

/**
 * Find where a key leads.
 *
 * @param {string} key Its name, as events have it.
 * @param {number} place Where the person is.
 * @param {GridLayout} layout Where tiles lie.
 * @param {number} sightPx How much of the grid is in sight.
 * @returns {number | null} The new place; null for a key that leads nowhere.
 */
export function follow(key, place, { count, columns, pitch_px }, sightPx) {
  const page = Math.max(1, Math.floor(sightPx / pitch_px)) * columns;
  /** @type {{[key: string]: number}} */
  const steps = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -page,
    PageDown: page,
    Home: -count,
    End: count,
  };
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined;
  if (step === undefined || count === 0) return null;
  const next = place + step;
  // A step up or down out of the grid stays in its column, as in every grid.
  if ((key === 'ArrowUp' && next < 0) || (key === 'ArrowDown' && next >= count)) return place;
  return Math.max(0, Math.min(count - 1, next));
}
