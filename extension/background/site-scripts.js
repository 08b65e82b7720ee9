/**
 * Which search sites are read from the start of a page: all but those that the person switched off.
 * Registered by script and not in the manifest, since a site that is off is to have none of ours.
 */
import { SEARCH_SITES, originsOf } from '../lib/search-hosts.js';

/** The reader is the page's own world's; what listens to it is ours. */
const SCRIPTS = [
  { id: 'reader', js: ['content/reader.js'], world: /** @type {const} */ ('MAIN') },
  { id: 'watch', js: ['content/watch.js'], world: /** @type {const} */ ('ISOLATED') },
];

/**
 * Register the scripts for the sites that are on, in place of what was registered.
 *
 * @param {Pick<typeof chrome.scripting, 'getRegisteredContentScripts' | 'registerContentScripts' | 'unregisterContentScripts'>} scripting
 *   The browser's own.
 * @param {string[]} sitesOff Ids of the sites that are off.
 */
export async function registerSiteScripts(scripting, sitesOff) {
  const former = await scripting.getRegisteredContentScripts({ ids: SCRIPTS.map(({ id }) => id) });
  if (former.length > 0) {
    await scripting.unregisterContentScripts({ ids: former.map(({ id }) => id) });
  }
  const matches = SEARCH_SITES.filter(({ id }) => !sitesOff.includes(id)).flatMap(originsOf);
  if (matches.length === 0) return;
  await scripting.registerContentScripts(
    SCRIPTS.map((script) => ({
      ...script,
      matches,
      runAt: 'document_start',
      persistAcrossSessions: true,
    })),
  );
}
