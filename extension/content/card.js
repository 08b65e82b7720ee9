/**
 * The look of what Bowerbird shows over a page. Styles are set by script, as a page's policy forbids
 * style sheets; a shadow root keeps the page's own rules out.
 */

/** Above all that a page can put over it; important, as pages style every `div`. */
const CORNER = `all: initial !important; position: fixed !important; inset: auto 16px 16px auto !important;
  z-index: 2147483647 !important; pointer-events: none !important`;
const BUTTON =
  'all: revert; cursor: pointer; color: inherit; background: none; border: 0; margin: 0;';

/**
 * @typedef {object} Card
 * @property {HTMLElement} host What is put into the page.
 * @property {HTMLElement} card What the content goes into.
 * @property {ShadowRoot} root Around it.
 */

/**
 * Make an empty card for the page's corner.
 *
 * @param {Document} document The page.
 * @param {'open' | 'closed'} mode Whether the page may look into it.
 * @returns {Card} The card, not yet in the page.
 */
export function makeCard(document, mode) {
  const isDark = document.defaultView?.matchMedia('(prefers-color-scheme: dark)').matches ?? false;
  const card = makeElement(
    document,
    'div',
    `box-sizing: border-box; width: 300px; max-width: calc(100vw - 32px); padding: 14px 40px 14px 16px;
     border-radius: 12px; border: 1px solid ${isDark ? '#3d3a5c' : '#dcd9ea'};
     border-left: 4px solid #4b5bdc; color: ${isDark ? '#eceaf4' : '#1c1b2e'};
     background: ${isDark ? '#1d1b30' : '#ffffff'}; box-shadow: 0 8px 30px rgb(0 0 0 / 30%);
     color-scheme: ${isDark ? 'dark' : 'light'}; overflow-wrap: anywhere; pointer-events: auto;
     font: 14px/1.4 system-ui, sans-serif; text-align: left; position: relative`,
  );
  const host = makeElement(document, 'div', CORNER);
  const root = host.attachShadow({ mode });
  root.append(card);
  return { host, card, root };
}

/**
 * Colour a card's edge by what it says.
 *
 * @param {HTMLElement} card The card.
 * @param {boolean} isTrouble Whether it needs attention.
 */
export function markTrouble(card, isTrouble) {
  card.style.borderLeftColor = isTrouble ? '#d14b3a' : '#4b5bdc';
}

/**
 * Make an element in a card's style.
 *
 * @param {Document} document The page.
 * @param {string} tag Its name.
 * @param {string} css Its declarations.
 * @param {string} [words] Its text; never markup.
 * @returns {HTMLElement} The element.
 */
export function makeElement(document, tag, css, words = '') {
  const element = document.createElement(tag);
  element.style.cssText = css;
  element.textContent = words;
  return element;
}

/**
 * Make the button in the card's corner that removes it.
 *
 * @param {Document} document The page.
 * @param {string} name What it is called for who does not see it.
 * @returns {HTMLElement} The button.
 */
export function makeCloseButton(document, name) {
  const place = 'position: absolute; top: 8px; right: 8px; width: 24px; height: 24px; padding: 0;';
  const button = makeElement(document, 'button', `${BUTTON} ${place} font-size: 18px`, '×');
  button.setAttribute('aria-label', name);
  return button;
}

/**
 * Make a button that says what it does.
 *
 * @param {Document} document The page.
 * @param {string} words Its text.
 * @returns {HTMLElement} The button.
 */
export function makeButton(document, words) {
  const frame = 'border: 1px solid; border-radius: 8px; padding: 3px 12px; font: inherit;';
  return makeElement(document, 'button', `${BUTTON} ${frame}`, words);
}
