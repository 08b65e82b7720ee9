/** Opens fixture pages and markup as documents. */
import { readFileSync } from 'node:fs';
import { Window } from 'happy-dom';

const FIXTURES = new URL('../../fixtures/pages/', import.meta.url);
/** A result page's address of each site. */
export const HOMES = {
  baidu: 'https://image.baidu.com/search/index?word=x',
  bing: 'https://www.bing.com/images/search?q=x',
  duckduckgo: 'https://duckduckgo.com/?q=x&iax=images&ia=images',
  ecosia: 'https://www.ecosia.org/images?q=x',
  flickr: 'https://www.flickr.com/search/?text=x',
  google: 'https://www.google.com/search?q=x&udm=2',
  openverse: 'https://openverse.org/search/image?q=x',
  pinterest: 'https://www.pinterest.com/search/pins/?q=x',
  unsplash: 'https://unsplash.com/s/photos/x',
  wikimedia: 'https://commons.wikimedia.org/wiki/Special:MediaSearch?search=x',
  yandex: 'https://yandex.com/images/search?text=x',
};

/**
 * Open markup as a page, without running or loading anything.
 *
 * @param {string} html Markup of the page.
 * @param {string} [address] Address of the page.
 * @param {object} [settings] What is to differ from happy-dom's usual settings here.
 * @returns {{document: Document, payloads: string[], location: URL}} What an adapter takes.
 */
export function openPage(html, address = 'https://page.example/dir/index.html', settings = {}) {
  const { document } = new Window({
    url: address,
    settings: {
      disableJavaScriptFileLoading: true,
      disableJavaScriptEvaluation: true,
      disableCSSFileLoading: true,
      disableComputedStyleRendering: true,
      handleDisabledFileLoadingAsSuccess: true,
      ...settings,
    },
  });
  document.write(html);
  // As of a saved page that no window shows: happy-dom takes hours over styles that mean harm.
  if (settings.disableComputedStyleRendering ?? true) {
    Object.defineProperty(document, 'defaultView', { value: null });
  }
  return { document, payloads: [], location: new URL(address) };
}

/**
 * Open a file of tests/fixtures/pages: a page, or an answer that a page's script got.
 *
 * @param {string} name File name.
 * @param {string} [address] Address that the page is to have.
 * @returns {{document: Document, payloads: string[], location: URL}} What an adapter takes.
 */
export function openFixture(name, address) {
  const text = readFileSync(new URL(name, FIXTURES), 'utf8');
  if (name.endsWith('.html')) return openPage(text, address);
  return { ...openPage('', address), payloads: [text] };
}
