/**
 * The popup's part on images that the server could not get: how many, from where, and a button that
 * fetches them in the person's own session. What runs goes on when the popup is closed.
 */
import { ext } from '../lib/browser.js';
import { messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { formatNumber, text, textCount } from '../lib/text.js';
import { make } from '../ui/dom.js';

/** @typedef {import('../lib/browser-fetch.js').BrowserFetchOffer} BrowserFetchOffer */
/** @typedef {import('../lib/browser-fetch.js').BrowserFetchRun} BrowserFetchRun */
/** @typedef {import('../lib/browser-fetch.js').RefusedImages} RefusedImages */

/** While it runs. */
const RUN_POLL_MS = 500;
/** Images that were just captured are refused within seconds. */
const IDLE_POLL_MS = 4000;
/** The rest are only counted. */
const SHOWN_HOSTS = 4;

const WHY = /** @type {const} */ ({
  'http-status': 'browserFetchStatus',
  'too-large': 'browserFetchTooLarge',
  timeout: 'browserFetchTimeout',
  connection: 'browserFetchConnection',
  'private-address': 'browserFetchPrivate',
  'not-permitted': 'browserFetchNotPermitted',
  'not-an-image': 'browserFetchNotAnImage',
  server: 'browserFetchServer',
});

/** Shows the offer and the run of one dataset. */
export class BrowserFetchView {
  /** @param {HTMLElement} region Where it is shown; hidden while there is nothing to say. */
  constructor(region) {
    this.region = region;
    /** @type {string | null} */
    this.datasetId = null;
    /** @type {number | undefined} */
    this.timer = undefined;
    /**
     * What is shown, as text: drawing the same again would take the focus and be read aloud again.
     *
     * @type {string | null}
     */
    this.shown = null;
    this.trouble = '';
  }

  /**
   * Show what there is for a dataset, and follow it from now on.
   *
   * @param {string | null} datasetId The dataset; null for one that is to be made.
   */
  async open(datasetId) {
    this.datasetId = datasetId;
    this.trouble = '';
    await this.#refresh();
  }

  /** Ask how things are, draw them, and ask again later. */
  async #refresh() {
    const { datasetId } = this;
    clearTimeout(this.timer);
    if (datasetId === null) return this.#draw([]);
    let isRunning = false;
    try {
      const offer = await send('offer-browser-fetch', { dataset_id: datasetId });
      if (this.datasetId !== datasetId) return;
      isRunning = offer.run?.is_running ?? false;
      this.#draw(this.#describe(datasetId, offer));
    } catch {
      // The server is down or does not know us: the rest of the popup says so.
      this.#draw([]);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.#refresh(), isRunning ? RUN_POLL_MS : IDLE_POLL_MS);
  }

  /**
   * Describe how things are.
   *
   * @param {string} datasetId The dataset.
   * @param {BrowserFetchOffer} offer What the background says of it.
   * @returns {HTMLElement[]} What to show.
   */
  #describe(datasetId, offer) {
    const { run } = offer;
    if (run?.is_running) return [describeProgress(run)];
    const parts = run === null ? [] : describeResult(run);
    if (offer.total > 0) parts.push(describeOffer(offer), this.#makeButton(datasetId, offer));
    if (this.trouble !== '') parts.push(make('p', {}, this.trouble));
    return parts;
  }

  /**
   * Make the button that begins.
   *
   * @param {string} datasetId The dataset.
   * @param {BrowserFetchOffer} offer What there is.
   * @returns {HTMLButtonElement} The button.
   */
  #makeButton(datasetId, { hosts }) {
    const button = make('button', { type: 'button' }, text('browserFetchButton'));
    button.dataset['testid'] = 'browser-fetch';
    const origins = hosts.filter((host) => !host.is_permitted).flatMap((host) => host.origins);
    const wish = { dataset_id: datasetId, hosts: hosts.map(({ host }) => host), origins };
    // No step before the question: the browser takes it only from within the click.
    button.addEventListener('click', () => {
      const granted = origins.length === 0 ? true : ext.permissions.request({ origins });
      button.disabled = true;
      void this.#begin(wish, granted);
    });
    return button;
  }

  /**
   * Begin when the person has permitted it. The browser's question may close the popup: then the
   * background begins by itself, as it knows the wish.
   *
   * @param {import('../lib/browser-fetch.js').BrowserFetchWish} wish What to fetch.
   * @param {Promise<boolean> | boolean} granted The person's answer.
   */
  async #begin(wish, granted) {
    this.trouble = '';
    try {
      await send('wish-browser-fetch', { wish });
      if (await granted) await send('start-browser-fetch', null);
      else {
        await send('wish-browser-fetch', { wish: null });
        this.trouble = text('browserFetchDeclined');
      }
    } catch (error) {
      this.trouble = messageOf(error);
    }
    this.shown = null;
    await this.#refresh();
  }

  /** @param {HTMLElement[]} parts What to show; nothing hides the region. */
  #draw(parts) {
    const now = parts.map((part) => part.outerHTML).join('');
    if (now === this.shown) return;
    this.shown = now;
    this.region.replaceChildren(...parts);
    this.region.hidden = parts.length === 0;
  }
}

/**
 * Say what could be fetched.
 *
 * @param {BrowserFetchOffer} offer What there is.
 * @returns {HTMLElement} For example “12 images … (403): example.org 9, example.net 3”.
 */
function describeOffer({ total, hosts, statuses }) {
  const named = hosts
    .slice(0, SHOWN_HOSTS)
    .map(({ host, count }) => `${host} ${formatNumber(count)}`);
  const left = hosts.length - SHOWN_HOSTS;
  if (left > 0) named.push(textCount('browserFetchMoreHosts', left));
  const answers = statuses.map((status) => (status === null ? text('browserFetchPage') : status));
  return make('p', {}, textCount('browserFetchOffer', total, answers.join(', '), named.join(', ')));
}

/**
 * Show how far a run is.
 *
 * @param {BrowserFetchRun} run The run.
 * @returns {HTMLElement} A bar with its words.
 */
function describeProgress({ total, obtained, refused }) {
  const done = obtained + refused.reduce((sum, { count }) => sum + count, 0);
  const words =
    total === 0
      ? text('browserFetchStarting')
      : text('browserFetchRunning', formatNumber(done), formatNumber(total));
  const bar = make('progress', { 'aria-label': words });
  if (total > 0) {
    bar.max = total;
    bar.value = done;
  }
  return make('div', { class: 'progress' }, make('span', {}, words), bar);
}

/**
 * Say what came of a run.
 *
 * @param {BrowserFetchRun} run The run.
 * @returns {HTMLElement[]} A line, and one for each kind of refusal.
 */
function describeResult({ obtained, refused, error }) {
  const lines = refused.map(({ host, reason, status, count }) =>
    make('li', {}, textCount('browserFetchRefused', count, host, text(WHY[reason], status ?? ''))),
  );
  /** @type {HTMLElement[]} */
  const parts = [make('p', { role: 'status' }, textCount('browserFetchObtained', obtained))];
  if (lines.length > 0) parts.push(make('ul', {}, ...lines));
  if (error !== null) parts.push(make('p', {}, text('browserFetchStopped', error)));
  return parts;
}
