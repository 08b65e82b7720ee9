/** Where things lie on the page. */

/**
 * @typedef {object} Box Place of a picture in CSS pixels, from the corner of the layer.
 * @property {number} x To the right.
 * @property {number} y Downwards.
 * @property {number} width Its width.
 * @property {number} height Its height.
 */

/** A tile's own picture is at least so large; beside it there may be a portrait or a site's icon. */
const MIN_PICTURE_PX = 48;
/** Real pages nest some 40 deep. */
const MAX_DEPTH = 200;

/**
 * Measure the picture that a tile shows.
 *
 * @param {Element} tile The tile.
 * @param {DOMRect} origin Corner of the layer.
 * @returns {Box | null} Whole pixels, so that a mark does not tremble; null where nothing is shown.
 */
export function measure(tile, origin) {
  const picture = tile.tagName === 'IMG' ? null : tile.querySelector('img');
  const inner = picture?.getBoundingClientRect();
  const isLarge = inner && Math.min(inner.width, inner.height) >= MIN_PICTURE_PX;
  const rect = isLarge ? inner : tile.getBoundingClientRect();
  if (rect.width < 1 || rect.height < 1) return null;
  return {
    x: Math.round(rect.left - origin.left),
    y: Math.round(rect.top - origin.top),
    width: Math.round(rect.width),
    height: Math.round(rect.height),
  };
}

/**
 * Find the layer of the page that an element is painted in: marks lie directly upon it, and under the
 * headers and dialogs that the page puts above.
 *
 * @param {Element} element The element.
 * @returns {number} The outermost `z-index` around it; 0 without any.
 */
export function findZIndex(element) {
  let zIndex = 0;
  /** @type {Element | null} */
  let each = element;
  for (let depth = 0; each !== null && depth < MAX_DEPTH; depth += 1) {
    const own = Number.parseInt(getComputedStyle(each).zIndex, 10);
    if (!Number.isNaN(own)) zIndex = own;
    each = each.parentElement;
  }
  return zIndex;
}

/**
 * Find the next tile in a direction.
 *
 * @param {Element[]} tiles All of them, in page order.
 * @param {Element} from Where to start.
 * @param {string} key Key that was pressed.
 * @returns {Element | undefined} The tile; nothing at the end, or for a key without direction.
 */
export function findNext(tiles, from, key) {
  const place = tiles.indexOf(from);
  switch (key) {
    case 'ArrowRight':
      return tiles[place + 1];
    case 'ArrowLeft':
      return place > 0 ? tiles[place - 1] : undefined;
    case 'Home':
      return tiles[0];
    case 'End':
      return tiles.at(-1);
    case 'ArrowDown':
      return findInNextRow(tiles, from, 1);
    case 'ArrowUp':
      return findInNextRow(tiles, from, -1);
    default:
      return undefined;
  }
}

/**
 * Find the tile above or below.
 *
 * @param {Element[]} tiles All of them.
 * @param {Element} from Where to start.
 * @param {1 | -1} sign Down or up.
 * @returns {Element | undefined} The nearest; being in the same column counts thrice.
 */
function findInNextRow(tiles, from, sign) {
  const start = from.getBoundingClientRect();
  let best;
  let least = Infinity;
  for (const tile of tiles) {
    const rect = tile.getBoundingClientRect();
    const gap = sign > 0 ? rect.top - start.bottom : start.top - rect.bottom;
    // Rows may overlap by a border.
    if (tile === from || rect.width === 0 || gap < -4) continue;
    const aside = Math.abs(rect.left + rect.width / 2 - start.left - start.width / 2);
    const distance = gap + 3 * aside;
    if (distance < least) [best, least] = [tile, distance];
  }
  return best;
}
