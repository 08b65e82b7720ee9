/** The number on the toolbar button: how many images the tab's page offers. */
import { ADAPTERS } from '../content/sites/index.js';
import { BowerbirdError } from '../lib/errors.js';

/** @typedef {import('../lib/types.js').PageScan} PageScan */

const COLOR = '#3b49c8';
/** A badge has room for four characters. */
const MAX_SHOWN = 999;

/**
 * @typedef {object} BadgeParts
 * @property {Pick<typeof chrome.action, 'setBadgeText' | 'setBadgeBackgroundColor'>} action The button.
 * @property {(tabId: number) => Promise<PageScan>} scan Reads a page.
 * @property {() => Promise<string[]>} readSitesOff Ids of the sites that the person switched off.
 */

/** Counts on each reading of a page; and by itself on result pages of the sites that are on. */
export class Badge {
  /** @param {BadgeParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * Read a page and show how much it holds.
   *
   * @param {number} tabId The tab.
   * @returns {Promise<PageScan>} What its page holds.
   * @throws {BowerbirdError} `page-not-readable`.
   */
  async scan(tabId) {
    const scan = await this.parts.scan(tabId);
    try {
      await this.#show(tabId, scan.candidates.length);
    } catch {
      // The tab was closed meanwhile; its page has been read all the same.
    }
    return scan;
  }

  /**
   * Count the images of a result page that has loaded. Tabs have an address here only on the sites
   * that the browser lets us read: it withholds the others.
   *
   * @param {number} tabId The tab.
   * @param {{status?: string | undefined}} change What happened to it.
   * @param {{url?: string | undefined}} tab The tab as it is now.
   */
  async onTabUpdated(tabId, { status }, { url }) {
    if (status !== 'complete' || url === undefined) return;
    const site = findSite(url);
    if (site === null) return;
    try {
      const sitesOff = await this.parts.readSitesOff();
      if (!sitesOff.includes(site)) await this.scan(tabId);
    } catch (error) {
      // Left or closed meanwhile. Nobody asked, so nobody is told.
      if (!(error instanceof BowerbirdError)) throw error;
    }
  }

  /**
   * Take the number from the tabs of sites that are off: the person wants nothing read there.
   *
   * @param {{id?: number | undefined, url?: string | undefined}[]} tabs All tabs.
   */
  async clearSitesOff(tabs) {
    const sitesOff = await this.parts.readSitesOff();
    for (const { id, url } of tabs) {
      const site = url === undefined ? null : findSite(url);
      if (id === undefined || site === null || !sitesOff.includes(site)) continue;
      try {
        await this.#show(id, 0);
      } catch {
        // The tab was closed meanwhile.
      }
    }
  }

  /**
   * Show a number.
   *
   * @param {number} tabId The tab.
   * @param {number} count The number; 0 shows nothing.
   */
  async #show(tabId, count) {
    const { action } = this.parts;
    await action.setBadgeBackgroundColor({ tabId, color: COLOR });
    const text = count > MAX_SHOWN ? `${MAX_SHOWN}+` : String(count || '');
    await action.setBadgeText({ tabId, text });
  }
}

/**
 * Recognise a result page of a known site by its address.
 *
 * @param {string} url The address.
 * @returns {string | null} Id of the adapter that is made for it; null when there is none.
 */
function findSite(url) {
  const { protocol, host, pathname, search } = new URL(url);
  if (protocol !== 'https:') return null;
  return ADAPTERS.find(({ home }) => home?.test(host + pathname + search))?.id ?? null;
}
