/**
 * Offers the permission to read a search site. Browsers let people take it back; our button still
 * reads the page that it is pressed on, but then nothing of what came before.
 */
import { ext } from '../lib/browser.js';
import { SEARCH_SITES, originsOf } from '../lib/search-hosts.js';
import { text } from '../lib/text.js';
import { make, notify, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').PageScan} PageScan */
/** @typedef {{name: string, origins: string[]}} Wanted Sites by name, and the permissions for them. */

/** Says which permission is missing, and asks for it. */
export class PermissionNotice {
  /**
   * @param {HTMLElement} region Where it is said.
   * @param {(tabId: number) => Promise<void>} onAllowed Told when the permission is given.
   */
  constructor(region, onAllowed) {
    this.region = region;
    this.onAllowed = onAllowed;
  }

  /**
   * Look whether a permission is missing.
   *
   * @param {number} tabId The browser tab that was read.
   * @param {PageScan | null} scan What it holds; null when it could not be read.
   */
  async check(tabId, scan) {
    const wanted = scan === null ? await findDenied() : await findMissing(scan);
    if (wanted === null) return notify(this.region, 'plain');
    const sentence = text(scan === null ? 'permissionMaybe' : 'permissionMissing', wanted.name);
    const allow = make('button', { type: 'button' }, text('permissionAllow', wanted.name));
    allow.dataset['testid'] = 'allow-site';
    allow.addEventListener('click', () => {
      // Within the click: browsers ask for permissions at no other time.
      const answer = ext.permissions.request({ origins: wanted.origins });
      void whileBusy(allow, () => this.#finish(answer, tabId));
    });
    notify(this.region, 'warn', make('p', {}, sentence), allow);
  }

  /**
   * Go on when the person has answered.
   *
   * @param {Promise<boolean>} answer Whether the permission is given.
   * @param {number} tabId The browser tab to read again.
   */
  async #finish(answer, tabId) {
    if (await answer) await this.onAllowed(tabId);
    else notify(this.region, 'warn', text('permissionDenied'));
  }
}

/**
 * Find out whether the site of a page that was read could be read by itself, too.
 *
 * @param {PageScan} scan What the page holds.
 * @returns {Promise<Wanted | null>} What is missing; null when nothing is, or it is no search site.
 */
async function findMissing({ origin }) {
  const { hostname } = new URL(origin.page_url);
  const site = SEARCH_SITES.find(({ hosts }) => hosts.includes(hostname));
  if (site === undefined) return null;
  const origins = [`https://${hostname}/*`];
  return (await ext.permissions.contains({ origins })) ? null : { name: site.name, origins };
}

/**
 * Find the sites that can't be read. The browser does not tell the address of a page that we may not
 * read, hence they are all that it may be of.
 *
 * @returns {Promise<Wanted | null>} Them; null when there are none.
 */
async function findDenied() {
  const areAllowed = await Promise.all(
    SEARCH_SITES.map((site) => ext.permissions.contains({ origins: originsOf(site) })),
  );
  const denied = SEARCH_SITES.filter((_site, index) => areAllowed[index] === false);
  const [first, ...others] = denied;
  if (first === undefined) return null;
  const name = others.length === 0 ? first.name : text('permissionSites');
  return { name, origins: denied.flatMap(originsOf) };
}
