/** Shows a page of the extension in the colours that the person chose. */
import { ext } from '../lib/browser.js';

const KEY = 'theme';

/**
 * Colour a page, now and whenever the choice changes. Read from the storage itself: an answer of the
 * background, which may have to wake up first, would come after the page is seen.
 *
 * @param {Document} page The page.
 */
export async function followTheme(page) {
  ext.storage.onChanged.addListener((changes, area) => {
    if (area === 'local' && KEY in changes) colour(page, changes[KEY].newValue);
  });
  const { [KEY]: theme } = await ext.storage.local.get(KEY);
  colour(page, theme);
}

/**
 * Colour a page.
 *
 * @param {Document} page The page.
 * @param {unknown} theme What is stored: `light` or `dark`; anything else leaves it to the system.
 */
function colour(page, theme) {
  if (theme === 'light' || theme === 'dark') page.documentElement.dataset['theme'] = theme;
  else delete page.documentElement.dataset['theme'];
}
