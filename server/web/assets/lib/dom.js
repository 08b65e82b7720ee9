/**
 * Elements without templates: text is always text, so nothing that a page on the web said can become markup.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined | EventListener>} Attributes */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {Element} node Filled in place.
 * @param {Attributes} attributes As for {@link h}.
 * @param {Child[]} children As for {@link h}.
 */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.replace(/^on/, ''), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, String(value));
    }
  }
  node.append(...present(children));
}

/**
 * @param {Child[]} children What may be there.
 * @returns {(Node | string)[]} What is there, ready for `append`.
 */
export function present(children) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    nodes.push(typeof child === 'number' ? String(child) : child);
  }
  return nodes;
}

/**
 * Build an HTML element. A function as an attribute listens to the event of its name (`onclick`).
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag Its name.
 * @param {Attributes} [attributes] True sets an empty attribute; false, null and undefined leave it out.
 * @param {...Child} children Elements and text.
 * @returns {HTMLElementTagNameMap[K]} The element.
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  fill(node, attributes, children);
  return node;
}

/**
 * Build an SVG element; see {@link h}.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag Its name.
 * @param {Attributes} [attributes] Presentation attributes are allowed by the content security policy, `style` is not.
 * @param {...Child} children Elements and text.
 * @returns {SVGElementTagNameMap[K]} The element.
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  fill(node, attributes, children);
  return node;
}

/**
 * Put other content into an element.
 * @param {Element} node Emptied first.
 * @param {...Child} children Its new content.
 */
export function replace(node, ...children) {
  node.replaceChildren(...present(children));
}

/**
 * The same for a place that is drawn anew while the keyboard is in it: what had the keyboard keeps it, if it is drawn
 * again as the same element, or as one of the same test id or address.
 * @param {Element} node Emptied first.
 * @param {...Child} children Its new content.
 */
export function replaceUnderKeyboard(node, ...children) {
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  const isInside = active !== null && active !== node && node.contains(active);
  replace(node, ...children);
  if (!isInside) return;
  if (active.isConnected) active.focus();
  else successorOf(active, node)?.focus();
}

/**
 * @param {HTMLElement} former A control that is gone.
 * @param {Element} node Where to look.
 * @returns {HTMLElement | undefined} What stands for it now.
 */
function successorOf(former, node) {
  const name = former.hasAttribute('data-testid') ? 'data-testid' : 'href';
  /** @type {NodeListOf<HTMLElement>} */
  const found = node.querySelectorAll(`[${name}]`);
  return [...found].find((each) => each.getAttribute(name) === former.getAttribute(name));
}

/**
 * Text that only screen readers get.
 * @param {string} text What to say.
 * @returns {HTMLElement} The hidden element.
 */
export function spoken(text) {
  return h('span', { class: 'visually-hidden' }, text);
}

/**
 * Replace broken pictures by a plain tile, so that a missing thumbnail looks meant.
 * @param {string} src Where the picture is.
 * @param {string} alt What it shows.
 * @param {Attributes} [attributes] More attributes.
 * @returns {HTMLImageElement} The picture.
 */
export function picture(src, alt, attributes = {}) {
  const node = h('img', { src, alt, loading: 'lazy', decoding: 'async', ...attributes });
  node.addEventListener('error', () => node.classList.add('is-missing'), { once: true });
  return node;
}
