/** Finds what a page scrolls: the document itself, or an element that takes its place. */
import { findRoots } from '../roots.js';

/** Less than this is no list but the slack of a layout. */
const MIN_SLACK_PX = 100;
/** What takes the document's place fills at least this part of the window. */
const MIN_AREA_RATIO = 0.4;
/** Bounds the work on a hostile page. */
const MAX_ELEMENTS = 50_000;

/**
 * Find what scrolls.
 *
 * @param {Document} document The page.
 * @returns {Element} The largest element that scrolls, where it fills much of the window and the
 *   document itself has less to scroll; else the document's own.
 */
export function findScroller(document) {
  const own = document.scrollingElement ?? document.documentElement;
  const view = document.defaultView;
  if (view === null) return own;
  const minAreaPx = view.innerWidth * view.innerHeight * MIN_AREA_RATIO;
  let best = own;
  let bestAreaPx = 0;
  for (const element of listElements(document)) {
    const { clientWidth, clientHeight } = element;
    const areaPx = clientWidth * clientHeight;
    // The cheap questions first: styles are asked for of few.
    if (areaPx < minAreaPx || areaPx <= bestAreaPx || slackOf(element) < MIN_SLACK_PX) continue;
    if (element === own || slackOf(element) <= slackOf(own)) continue;
    if (!/^(?:auto|scroll|overlay)$/.test(view.getComputedStyle(element).overflowY)) continue;
    best = element;
    bestAreaPx = areaPx;
  }
  return best;
}

/**
 * Measure how far something can be scrolled.
 *
 * @param {Element} element Any element.
 * @returns {number} Pixels.
 */
function slackOf({ scrollHeight, clientHeight }) {
  return scrollHeight - clientHeight;
}

/**
 * List elements, those in open shadow roots too.
 *
 * @param {Document} document The page.
 * @returns {Element[]} The first `MAX_ELEMENTS`.
 */
function listElements(document) {
  /** @type {Element[]} */
  const elements = [];
  for (const root of findRoots(document)) {
    for (const element of root.querySelectorAll('*')) {
      if (elements.length >= MAX_ELEMENTS) return elements;
      elements.push(element);
    }
  }
  return elements;
}
