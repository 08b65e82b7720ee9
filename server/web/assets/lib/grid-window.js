/**
 * The arithmetic of a grid of which only a window is in the document. Pure: pixels in, rows and tiles out.
 */

/** A tile is at least so wide; what is left over is shared among the columns. */
export const TILE_MIN_PX = 140;
/** Between tiles, both ways; grid.css says the same. */
export const GAP_PX = 10;
/** The line under each picture, and the tile's borders. */
export const CAPTION_PX = 34;
/** Rows kept beyond each edge of the window, so that a turn of the wheel finds them there. */
const OVERSCAN_ROWS = 3;

/** @typedef {{columns: number, tile_px: number, row_px: number}} Layout */

/**
 * @param {number} width_px Of the whole grid.
 * @returns {Layout} How many columns fit, and how large one tile and one row (with its gap) are.
 */
export function layoutFor(width_px) {
  const columns = Math.max(1, Math.floor((width_px + GAP_PX) / (TILE_MIN_PX + GAP_PX)));
  const tile_px = Math.max(1, (width_px - GAP_PX * (columns - 1)) / columns);
  return { columns, tile_px, row_px: tile_px + CAPTION_PX + GAP_PX };
}

/**
 * @param {number} total How many tiles.
 * @param {number} columns In a row.
 * @returns {number} How many rows they make.
 */
export const rowCount = (total, columns) => Math.ceil(total / columns);

/**
 * @param {{hidden_px: number, viewport_px: number, row_px: number, rows: number}} place How much of the grid lies above
 *   the viewport (negative while it begins below its top), how high the viewport is, and the grid's rows.
 * @returns {{first: number, end: number}} The rows to draw: from `first` up to, not including, `end`.
 */
export function windowFor({ hidden_px, viewport_px, row_px, rows }) {
  const first = Math.floor(hidden_px / row_px) - OVERSCAN_ROWS;
  const end = Math.ceil((hidden_px + viewport_px) / row_px) + OVERSCAN_ROWS;
  return {
    first: Math.min(rows, Math.max(0, first)),
    end: Math.max(0, Math.min(rows, end)),
  };
}

/**
 * @param {string} key As KeyboardEvent names it.
 * @param {number} index The tile that has the focus.
 * @param {{columns: number, total: number, pageRows: number}} grid Its shape; how many rows the viewport shows.
 * @returns {number | null} The tile that the key leads to; null for any other key.
 */
export function indexAfter(key, index, { columns, total, pageRows }) {
  const page = Math.max(1, pageRows - 1) * columns;
  /** @type {Record<string, number>} */
  const moves = {
    ArrowRight: index + 1,
    ArrowLeft: index - 1,
    ArrowDown: down(index, columns, total),
    ArrowUp: index - columns,
    PageDown: Math.min(index + page, lastInColumn(index, columns, total)),
    PageUp: Math.max(index - page, index % columns),
    Home: 0,
    End: total - 1,
  };
  const target = moves[key];
  if (target === undefined || total === 0) return null;
  return target < 0 || target >= total ? index : target;
}

/**
 * @param {number} index Where one is.
 * @param {number} columns In a row.
 * @param {number} total How many tiles.
 * @returns {number} One row down; the last tile when the last row is too short for that.
 */
function down(index, columns, total) {
  const isLastRow = Math.floor(index / columns) === Math.floor((total - 1) / columns);
  return isLastRow ? index : Math.min(index + columns, total - 1);
}

/**
 * @param {number} index Where one is.
 * @param {number} columns In a row.
 * @param {number} total How many tiles.
 * @returns {number} The lowest tile of the same column.
 */
function lastInColumn(index, columns, total) {
  const column = index % columns;
  const rows = Math.ceil((total - column) / columns);
  return (rows - 1) * columns + column;
}

/**
 * @param {{top_px: number, height_px: number, above_px: number, below_px: number}} place Where a row stands in the
 *   viewport, how high it is, and where the free part of the viewport begins and ends.
 * @returns {number} By how much to scroll so that the whole row is seen; 0 when it is.
 */
export function scrollToShow({ top_px, height_px, above_px, below_px }) {
  if (top_px < above_px) return top_px - above_px;
  const over = top_px + height_px - below_px;
  return over > 0 ? Math.min(over, top_px - above_px) : 0;
}
