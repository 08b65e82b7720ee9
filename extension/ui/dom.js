/** Finds and makes elements. Texts become text nodes, always: a page's title is never markup. */

/**
 * Find an element that the page is known to have.
 *
 * @template {HTMLElement} T
 * @param {string} id Its id.
 * @param {new () => T} type Its class.
 * @returns {T} The element.
 * @throws {TypeError} The page and its script disagree.
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new TypeError(`#${id} is not a ${type.name}.`);
}

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag Its name.
 * @param {Record<string, string>} attributes Its attributes.
 * @param {...(Node | string)} children What it holds.
 * @returns {HTMLElementTagNameMap[K]} The element.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Make a link that opens in a tab of its own.
 *
 * @param {string} href Where it leads.
 * @param {string} text Its text.
 * @returns {HTMLAnchorElement} The link.
 */
export function makeLink(href, text) {
  return make('a', { href, target: '_blank', rel: 'noopener' }, text);
}

/**
 * Show a message in a live region, or hide the region.
 *
 * @param {HTMLElement} region An element of class `notice`.
 * @param {'good' | 'warn' | 'bad' | 'plain'} tone How it is meant.
 * @param {...(Node | string)} content The message; nothing hides the region.
 */
export function notify(region, tone, ...content) {
  region.dataset['tone'] = tone;
  region.replaceChildren(...content);
  region.hidden = content.length === 0;
}

/**
 * Run an action with its button disabled, so that it isn't started twice.
 *
 * @param {HTMLButtonElement} button The button.
 * @param {() => Promise<void>} run The action; handles its own errors.
 */
export async function whileBusy(button, run) {
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  try {
    await run();
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
  }
}
