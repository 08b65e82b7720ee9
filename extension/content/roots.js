/** Finds elements in a document and in the open shadow roots within it. */

/** Bounds the walk on a hostile page; ordinary ones have some thousand elements. */
const MAX_VISITED = 200_000;
const MAX_ROOTS = 1000;

/**
 * List a document and the open shadow roots within it, nested ones too.
 *
 * @param {Document} document Page to read.
 * @returns {(Document | ShadowRoot)[]} The document first.
 */
export function findRoots(document) {
  /** @type {(Document | ShadowRoot)[]} */
  const roots = [document];
  let visitedCount = 0;
  // The list grows while it is walked: roots within roots are reached, too.
  for (const root of roots) {
    for (const { shadowRoot } of root.querySelectorAll('*')) {
      visitedCount += 1;
      if (visitedCount > MAX_VISITED || roots.length >= MAX_ROOTS) return roots;
      if (shadowRoot) roots.push(shadowRoot);
    }
  }
  return roots;
}

/**
 * Find elements.
 *
 * @param {(Document | ShadowRoot)[]} roots Where to look.
 * @param {string} selector What to look for.
 * @param {number} maxCount How many are enough.
 * @returns {Element[]} Elements, those of the document first.
 */
export function findIn(roots, selector, maxCount) {
  const found = [];
  for (const root of roots) {
    for (const element of root.querySelectorAll(selector)) {
      if (found.length >= maxCount) return found;
      found.push(element);
    }
  }
  return found;
}

/**
 * Find the closest of an element's ancestors, leaving shadow roots through their hosts.
 *
 * @param {Element} element Where to start.
 * @param {string} selector What to look for.
 * @returns {Element | null} The ancestor.
 */
export function closest(element, selector) {
  /** @type {Element | null} */
  let from = element;
  // Deeper nesting of shadow roots has not been seen; the bound is against cycles in played DOMs.
  for (let depth = 0; from !== null && depth < 16; depth += 1) {
    const ancestor = /** @type {Element | null} */ (from.closest(selector));
    if (ancestor !== null) return ancestor;
    const root = /** @type {Node & {host?: Element}} */ (from.getRootNode());
    from = root.host ?? null;
  }
  return null;
}
