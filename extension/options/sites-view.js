/**
 * The search sites: a switch for each. Where the browser withholds the permission that was given at
 * installation (Firefox and Chromium let a person revoke it at any time), a button asks for it.
 */
import { ext } from '../lib/browser.js';
import { SEARCH_SITES, originsOf } from '../lib/search-hosts.js';
import { send } from '../lib/send.js';
import { text } from '../lib/text.js';
import { byId, make, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/search-hosts.js').SearchSite} SearchSite */

/** Lists and switches them. */
export class SitesView {
  /** @param {import('./page.js').Page} page The rest of the page. */
  constructor(page) {
    this.page = page;
    this.revoked = byId('sites-revoked', HTMLElement);
    /** @type {SearchSite[]} Sites that the browser does not let us read. */
    this.missing = [];
    const allowAll = byId('allow-all', HTMLButtonElement);
    allowAll.addEventListener('click', () => this.#allow(allowAll, this.missing));
  }

  /**
   * List the sites.
   *
   * @param {string[]} sitesOff Ids of those that are off.
   */
  async show(sitesOff) {
    const areAllowed = await Promise.all(
      SEARCH_SITES.map((site) => ext.permissions.contains({ origins: originsOf(site) })),
    );
    this.missing = SEARCH_SITES.filter((_site, index) => areAllowed[index] === false);
    this.revoked.hidden = this.missing.length === 0;
    byId('sites', HTMLElement).replaceChildren(
      ...SEARCH_SITES.map((site) => this.#makeRow(site, !sitesOff.includes(site.id))),
    );
  }

  /**
   * Describe a site.
   *
   * @param {SearchSite} site The site.
   * @param {boolean} isOn Whether it is on.
   * @returns {HTMLElement} Its row.
   */
  #makeRow(site, isOn) {
    const { id, name } = site;
    const box = make('input', { type: 'checkbox', role: 'switch', 'data-testid': `site-${id}` });
    box.checked = isOn;
    box.addEventListener('change', () => void this.page.report(() => this.#switch(site, box)));
    const row = make('li', {}, make('label', { class: 'switch' }, box, name));
    if (this.missing.includes(site)) {
      const allow = make(
        'button',
        { type: 'button', class: 'quiet', title: text('siteAllowName', name) },
        text('siteAllow'),
      );
      allow.dataset['testid'] = `allow-${id}`;
      allow.addEventListener('click', () => this.#allow(allow, [site]));
      row.append(
        make('span', { class: 'mark', 'data-tone': 'warn' }, text('siteNotAllowed')),
        allow,
      );
    }
    return row;
  }

  /**
   * Switch a site.
   *
   * @param {SearchSite} site The site.
   * @param {HTMLInputElement} box Its switch, which shows what was done in the end.
   */
  async #switch({ id }, box) {
    const isOn = box.checked;
    box.checked = !isOn;
    const sitesOff = await send('switch-site', { site: id, is_on: isOn });
    box.checked = !sitesOff.includes(id);
  }

  /**
   * Ask the browser for sites. Must run within the click: browsers ask at no other time.
   *
   * @param {HTMLButtonElement} button What was clicked.
   * @param {SearchSite[]} sites The sites.
   */
  #allow(button, sites) {
    const answer = ext.permissions.request({ origins: sites.flatMap(originsOf) });
    void whileBusy(button, () =>
      this.page.report(async () => {
        const isAllowed = await answer;
        await this.page.refresh();
        if (!isAllowed) this.page.say('bad', text('siteDenied'));
      }),
    );
  }
}
