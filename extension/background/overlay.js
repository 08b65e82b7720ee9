/**
 * The background's side of the marks in pages: answers our scripts there, which share a process with
 * pages that may be hostile, and tells them when something has changed.
 */
import { BowerbirdError } from '../lib/errors.js';
import { SEARCH_SITES } from '../lib/search-hosts.js';
import { Allowance } from './allowance.js';
import { MAX_QUESTION_URLS, askKnown } from './known.js';
import { Opinions } from './opinions.js';
import { findPageHost } from './page-site.js';
import { memberOf, refusal, toQuery, toUrls } from './page-requests.js';

/** @typedef {import('../lib/page-messages.js').Held} Held */
/** @typedef {import('../lib/page-messages.js').HeldAt} HeldAt */
/** @typedef {import('../lib/page-messages.js').Asking} Asking */
/** @typedef {import('../lib/page-messages.js').PageOpinions} PageOpinions */
/** @typedef {import('./known.js').HeldImage} HeldImage */
/** @typedef {import('../lib/page-messages.js').OverlayOrder} OverlayOrder */
/** @typedef {import('../lib/page-messages.js').OverlayState} OverlayState */
/** @typedef {import('../lib/page-messages.js').PageAnswer} PageAnswer */
/** @typedef {import('../lib/messages.js').Reply<'read-page-overlay'>} Switch */

/** @typedef {(request: unknown, sender: chrome.runtime.MessageSender) => Promise<unknown>} Handler */

/** Its name in the manifest. */
export const MARKS_COMMAND = 'focus-marks';

/**
 * @typedef {object} OverlayParts
 * @property {Pick<import('./settings.js').SettingsStore, 'read' | 'update'>} settings What is remembered.
 * @property {Pick<import('./session.js').Session, 'call'>} session The paired server.
 * @property {Pick<typeof chrome.tabs, 'get' | 'query' | 'sendMessage'>} tabs The browser's own.
 * @property {(tabId: number) => Promise<unknown>} enter Brings our script into a tab's page.
 * @property {(origin: string) => Promise<boolean>} isPermitted Whether a site may be read unasked.
 */

/** Keeps nothing that matters between two events: workers are evicted. */
export class OverlayHost {
  /** @param {OverlayParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
    this.allowance = new Allowance();
    this.opinions = new Opinions(parts);
    /** What the pages were last told of, as far as this worker knows. */
    this.told = '';
    /** @type {Map<string, Handler>} */
    this.handlers = new Map(
      /** @type {[string, Handler][]} */ ([
        ['read-overlay', (request, sender) => this.#readOverlay(request, sender)],
        ['find-held', (request) => this.#findHeld(toKnownUrls(memberOf(request, 'urls')))],
        ['ask-opinions', (request, { url }) => this.opinions.answer(request, findPageHost(url))],
        ['exclude-image', (request) => this.#exclude(request)],
      ]),
    );
  }

  /**
   * Answer a script of ours in a page.
   *
   * @param {unknown} message What it sent.
   * @param {chrome.runtime.MessageSender} sender Who sent it, as the browser says.
   * @returns {Promise<PageAnswer>} The reply; a refusal gives no reason.
   */
  async answer(message, sender) {
    const handle = this.handlers.get(String(memberOf(message, 'type')));
    const tabId = sender.tab?.id;
    if (handle === undefined || tabId === undefined || !this.allowance.take(tabId)) {
      return { ok: false };
    }
    try {
      return { ok: true, reply: await handle(memberOf(message, 'request'), sender) };
    } catch {
      // Whatever it is, such as a full disk: a page that gets no answer would wait for one for ever.
      return { ok: false };
    }
  }

  /** Let all pages look again, if what the settings say of marks has changed. */
  async onSettings() {
    const settings = await this.#readSettings();
    if (settings === null) return;
    const { server, dataset_id, pairing, is_overlay_on, is_model_asked, sites_off } = settings;
    const place = [server, dataset_id, pairing?.token_id];
    const state = JSON.stringify([...place, is_overlay_on, is_model_asked, sites_off]);
    if (state === this.told) return;
    this.told = state;
    await this.announce();
  }

  /** @returns {Promise<import('../lib/types.js').Settings | null>} Null when a newer extension stored them. */
  async #readSettings() {
    try {
      return await this.parts.settings.read();
    } catch (error) {
      if (!(error instanceof BowerbirdError)) throw error;
      return null;
    }
  }

  /** Let all pages look again: the dataset has changed, or is another one. */
  async announce() {
    const tabs = await this.parts.tabs.query({});
    await Promise.all(
      tabs.flatMap(({ id }) => (id === undefined ? [] : this.#order(id, 'follow'))),
    );
  }

  /**
   * Say how the popup's switch is to stand.
   *
   * @param {number} tabId The tab.
   * @returns {Promise<Switch>} Whether marks are shown, and for which pages the switch counts.
   */
  async readSwitch(tabId) {
    const { is_overlay_on } = await this.parts.settings.read();
    if (await this.#isSite(tabId)) return { is_on: is_overlay_on, scope: 'sites' };
    const state = await this.#order(tabId, 'tell');
    return { is_on: state?.is_shown ?? false, scope: 'page' };
  }

  /**
   * Show marks or remove them: on all search sites when the page is one's, else in this page for once.
   *
   * @param {number} tabId The tab.
   * @param {boolean} isOn Which of the two.
   * @returns {Promise<Switch>} How the switch stands then.
   */
  async turn(tabId, isOn) {
    const isSite = await this.#isSite(tabId);
    if (isSite) await this.parts.settings.update({ is_overlay_on: isOn });
    else if (isOn) await this.parts.enter(tabId);
    if (!isOn) await this.#order(tabId, 'hide');
    await (isSite ? this.onSettings() : isOn && this.#order(tabId, 'show'));
    return this.readSwitch(tabId);
  }

  /**
   * Put the keyboard's focus on the marks of a page; where it has none, it gets them for once.
   *
   * @param {number} tabId The tab.
   */
  async focus(tabId) {
    if ((await this.#order(tabId, 'focus')) !== null) return;
    try {
      await this.parts.enter(tabId);
    } catch (error) {
      // Such as a page of the browser's own: there is nothing to mark, and nowhere to say so.
      if (!(error instanceof BowerbirdError)) throw error;
    }
    await this.#order(tabId, 'focus');
  }

  /**
   * Tell a page's script what to do.
   *
   * @param {number} tabId The tab.
   * @param {OverlayOrder['overlay']} overlay What to do.
   * @returns {Promise<OverlayState | null>} Whether marks are shown then; null where no script is.
   */
  async #order(tabId, overlay) {
    try {
      /** @type {OverlayState | undefined} */
      const state = await this.parts.tabs.sendMessage(tabId, { overlay });
      return state ?? null;
    } catch {
      // Most tabs have no script of ours.
      return null;
    }
  }

  /**
   * Read what the model said of a page's images.
   *
   * @param {number} tabId The tab.
   * @param {string} datasetId The dataset that the images are to go to.
   * @returns {Promise<PageOpinions | null>} Null where nobody was asked, or another dataset's model.
   */
  async readOpinions(tabId, datasetId) {
    const state = await this.#order(tabId, 'tell');
    const opinions = state?.opinions ?? null;
    return (await this.opinions.areOf(opinions, datasetId)) ? opinions : null;
  }

  /**
   * Say whether a page shows marks without being asked, and what it asks the model for.
   *
   * @param {unknown} request What the page asked for.
   * @param {chrome.runtime.MessageSender} sender The page.
   * @returns {Promise<{is_on: boolean, asking: Asking | null}>} On for search sites, once there is a
   *   dataset to look into.
   */
  async #readOverlay(request, { url }) {
    const query = toQuery(memberOf(request, 'query'));
    const settings = await this.parts.settings.read();
    const site = findSite(url);
    const isSiteOn = site !== undefined && !settings.sites_off.includes(site.id);
    const hasDataset = settings.pairing !== null && settings.dataset_id !== null;
    const is_on = settings.is_overlay_on && isSiteOn && hasDataset;
    return { is_on, asking: await this.opinions.findAsking(settings, query) };
  }

  /**
   * Ask what the chosen dataset has.
   *
   * @param {string[]} urls Addresses.
   * @returns {Promise<HeldAt[]>} What it has of them; nothing without a dataset.
   */
  async #findHeld(urls) {
    const { images } = await this.#ask(urls);
    return images.map(({ index, ...image }) => ({ index, ...toHeld(image) }));
  }

  /**
   * Exclude an image of the chosen dataset by its address, or take it back. Pages never learn ids, so
   * they reach no image that they don't show.
   *
   * @param {unknown} request What the page asked for.
   * @returns {Promise<Held | null>} How the image is then; null when the dataset has none.
   */
  async #exclude(request) {
    const excluded = memberOf(request, 'is_excluded');
    if (typeof excluded !== 'boolean') throw refusal();
    const { images, server } = await this.#ask(toKnownUrls([memberOf(request, 'url')]));
    const [image] = images;
    if (image === undefined) return null;
    const path = `/images/${encodeURIComponent(image.id)}`;
    const call = { method: 'PATCH', path, json: { excluded } };
    return toHeld(await this.parts.session.call(call, server));
  }

  /**
   * Ask the server.
   *
   * @param {string[]} urls Addresses.
   * @returns {Promise<{images: HeldImage[], server: string}>} What the chosen dataset has of them, and
   *   where it is.
   */
  async #ask(urls) {
    const { server, dataset_id } = await this.parts.settings.read();
    if (dataset_id === null) return { images: [], server };
    const { images } = await askKnown(this.parts.session, { server, dataset_id }, urls);
    return { images, server };
  }

  /**
   * Tell pages that the settings govern from others.
   *
   * @param {number} tabId The tab.
   * @returns {Promise<boolean>} True on a search site that is on and may be read unasked.
   */
  async #isSite(tabId) {
    const { url } = await this.parts.tabs.get(tabId);
    const site = findSite(url);
    if (url === undefined || site === undefined) return false;
    const { sites_off } = await this.parts.settings.read();
    return !sites_off.includes(site.id) && this.parts.isPermitted(`${new URL(url).origin}/*`);
  }
}

/**
 * Find the search site that an address belongs to.
 *
 * @param {string | undefined} url The address, as the browser says.
 * @returns {import('../lib/search-hosts.js').SearchSite | undefined} The site.
 */
function findSite(url) {
  if (url?.startsWith('https://') !== true) return undefined;
  const { host } = new URL(url);
  return SEARCH_SITES.find(({ hosts }) => hosts.includes(host));
}

/**
 * Check addresses to look up.
 *
 * @param {unknown} value What a page sent.
 * @returns {string[]} The addresses.
 * @throws {BowerbirdError} As `toUrls`.
 */
function toKnownUrls(value) {
  return toUrls(value, MAX_QUESTION_URLS);
}

/**
 * Leave out what pages have no use for.
 *
 * @param {Held} image An image as the server sends it.
 * @returns {Held} What marks show.
 */
function toHeld({ label, status, excluded }) {
  return { label, status, excluded };
}
