/**
 * The browser's rules for requests that this background makes for images: they set the Referer, which
 * no `fetch` can, and keep redirects from leading into the person's own network. Each rule names this
 * extension as the initiator and requests outside of tabs, so no page's request is touched; it is there
 * only while its request runs. Whatever a killed worker left is removed when the next one starts.
 */
import { isPrivateHost } from './image-address.js';

/** `modifyHeaders` only acts when nothing that forbids or allows outranks it. */
const PRIORITY = { block: 1, allow: 2, referer: 3 };
/** What redirects must not lead to; rules know no ranges, so this is the coarser half of the check. */
const PRIVATE_PATTERN =
  '^https?://(localhost|(0|10|127|192\\.168|169\\.254|172\\.(1[6-9]|2[0-9]|3[01]))\\.[0-9.]+|\\[[^/]*)(:[0-9]+)?/';

/** @typedef {Pick<typeof chrome.declarativeNetRequest, 'getSessionRules' | 'updateSessionRules'>} RuleApi */
/** @typedef {chrome.declarativeNetRequest.Rule} Rule */

/** Sets and removes the rules. */
export class RequestRules {
  /**
   * @param {RuleApi} api `ext.declarativeNetRequest`.
   * @param {string} ownHost Host of this extension's own pages: its id.
   */
  constructor(api, ownHost) {
    this.api = api;
    this.ownHost = ownHost;
    this.lastId = 0;
    /** @type {Promise<void> | null} */
    this.started = null;
  }

  /** Remove what a killed worker left; nothing else of this extension sets such rules. */
  start() {
    this.started ??= this.#removeAll();
    return this.started;
  }

  /**
   * Run a request under its rules.
   *
   * @template T
   * @param {{url: URL, referer: string | null, servers: string[]}} request The image's address, what to
   *   send as the Referer, and the origins of our own servers, which stay within reach.
   * @param {() => Promise<T>} run Makes the request.
   * @returns {Promise<T>} What `run` gave.
   */
  async during({ url, referer, servers }, run) {
    await this.start();
    const rules = this.#make(url, referer, servers);
    const ids = rules.map(({ id }) => id);
    await this.api.updateSessionRules({ removeRuleIds: ids, addRules: rules });
    try {
      return await run();
    } finally {
      await this.api.updateSessionRules({ removeRuleIds: ids });
    }
  }

  async #removeAll() {
    const rules = await this.api.getSessionRules();
    await this.api.updateSessionRules({ removeRuleIds: rules.map(({ id }) => id) });
  }

  /**
   * Make the rules of one request.
   *
   * @param {URL} url The image's address.
   * @param {string | null} referer What to send as the Referer.
   * @param {string[]} servers Origins of our own servers.
   * @returns {Rule[]} The rules.
   */
  #make(url, referer, servers) {
    // Of either scheme: sites send from http to https. A fragment is never sent.
    const image = `||${url.host}${url.pathname}${url.search}|`;
    const rules = [
      // As the image's own request is, redirected or not: what this background sends goes through.
      this.#rule(
        PRIORITY.block,
        { type: 'block' },
        { regexFilter: PRIVATE_PATTERN, requestMethods: ['get'] },
      ),
      ...servers.map((server) =>
        this.#rule(PRIORITY.allow, { type: 'allow' }, { urlFilter: `|${server}/` }),
      ),
    ];
    if (isPrivateHost(url)) {
      rules.push(this.#rule(PRIORITY.allow, { type: 'allow' }, { urlFilter: `||${url.host}/` }));
    }
    if (referer !== null) {
      /** @type {chrome.declarativeNetRequest.RuleAction} */
      const action = {
        type: 'modifyHeaders',
        requestHeaders: [{ header: 'referer', operation: 'set', value: referer }],
      };
      rules.push(
        this.#rule(PRIORITY.referer, action, { urlFilter: image, requestMethods: ['get'] }),
      );
    }
    return rules;
  }

  /**
   * Make a rule for requests of this background alone.
   *
   * @param {number} priority Which of several wins.
   * @param {chrome.declarativeNetRequest.RuleAction} action What it does.
   * @param {chrome.declarativeNetRequest.RuleCondition} condition Which requests.
   * @returns {Rule} The rule.
   */
  #rule(priority, action, condition) {
    this.lastId += 1;
    const own = { tabIds: [-1], initiatorDomains: [this.ownHost] };
    return { id: this.lastId, priority, action, condition: { ...condition, ...own } };
  }
}
