/** The buttons of the known sites that show more results. Nothing else on any page is pressed. */

/**
 * By the id of the adapter. The other sites load by scrolling alone.
 *
 * Sources: Google, scrapers of 2019 to 2026; Bing, the script of a page of 2026 and scrapers; Yandex,
 * scrapers of 2024 to 2026; Wikimedia and Openverse, the sites' own code.
 *
 * @type {Readonly<Record<string, string>>}
 */
const SELECTORS = Object.freeze({
  google: 'input.mye4qd[type="button"]',
  bing: '.mm_seemore a.btn_seemore, a.btn_seemore.cbtn',
  yandex: 'button.FetchListButton-Button',
  wikimedia: 'button.sdms-load-more',
  openverse: 'button[data-testid="load-more"]',
});
/** Bounds the work on a hostile page; there is one. */
const MAX_LOOKED_AT = 20;

/**
 * Find the button.
 *
 * @param {Document} document The page.
 * @param {string} engine Id of the adapter that reads it.
 * @param {string} host The page's host: a link is pressed only when it stays there.
 * @returns {HTMLElement | null} The button, if it is shown and can be pressed.
 */
export function findMoreButton(document, engine, host) {
  const selector = Object.hasOwn(SELECTORS, engine) ? SELECTORS[engine] : undefined;
  if (selector === undefined) return null;
  const found = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(selector)]);
  return found.slice(0, MAX_LOOKED_AT).find((each) => canBePressed(each, host)) ?? null;
}

/**
 * Tell whether pressing a button shows more, and does nothing else.
 *
 * @param {HTMLElement} button What the selector found.
 * @param {string} host The page's host.
 * @returns {boolean} False for what is hidden, disabled, or leads to another page.
 */
function canBePressed(button, host) {
  if (button.matches(':disabled, [aria-disabled="true"], [target]')) return false;
  const { width, height } = button.getBoundingClientRect();
  if (width === 0 || height === 0) return false;
  const link = button.getAttribute('href');
  if (link === null || link.startsWith('#') || /^javascript:/i.test(link)) return true;
  // Bing's is a link for pages without scripts; its script takes the click.
  return /** @type {HTMLAnchorElement} */ (button).host === host;
}
