/**
 * Addresses that gave no image, grouped by reason and within it by host, each with what it means and a retry.
 */
import { h, replace } from '../lib/dom.js';
import { explainReason } from '../lib/explain.js';
import { facetValues } from '../lib/filters.js';
import { count, plural, siteOf } from '../lib/format.js';
import { listImages, MAX_PAGE, readFacets, retryImages } from '../lib/resources.js';
import { outsideLink } from './facts.js';
import { openSiteRemoval } from './site-removal.js';
import { emptyState, loadingNote, messagePlace, runAction, showFailure, toast } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {{value: string, count: number}} ReasonCount */
/**
 * @typedef {object} Deeds
 * @property {(reason: string) => Promise<Image[]>} load Reads the addresses of a reason.
 * @property {(reason: string, host?: string) => Promise<void>} retry Queues them again, or those of one host.
 * @property {AbortSignal} signal Of the view.
 * @property {(site: string) => void} remove Asks what everything of a site is, to remove it.
 */

/** Addresses shown of one host at first: a host that has gone fails by the hundred. */
const SHOWN_OF_HOST = 20;
/** What has no address has no host: nothing can be fetched again, or removed as a site's. */
const UPLOADS = 'uploads';

/**
 * @param {Image[]} images Rejected ones.
 * @param {(image: Image) => string} keyOf What they are grouped by.
 * @returns {[string, Image[]][]} The groups, the largest first.
 */
export function groupBy(images, keyOf) {
  /** @type {Map<string, Image[]>} */
  const groups = new Map();
  for (const image of images) {
    const group = groups.get(keyOf(image));
    if (group) group.push(image);
    else groups.set(keyOf(image), [image]);
  }
  return [...groups].sort((a, b) => b[1].length - a[1].length);
}

/**
 * @param {Image[]} images Rejected ones.
 * @returns {[string, Image[]][]} By host, the most frequent first.
 */
export const groupByHost = (images) => groupBy(images, (image) => siteOf(image.url) ?? UPLOADS);

/**
 * @param {Image} image A rejected one.
 * @returns {HTMLElement} Its address and what exactly happened.
 */
function addressRow(image) {
  return h(
    'li',
    {},
    outsideLink(image.url, image.url ?? '') ?? image.url ?? image.title ?? 'an upload',
    h('br'),
    h(
      'span',
      { class: 'muted' },
      [image.label, image.detail, image.attempts > 1 ? plural(image.attempts, 'attempt') : null]
        .filter(Boolean)
        .join(' · '),
    ),
  );
}

/**
 * @param {string} host Of all of them.
 * @param {Image[]} images Its addresses.
 * @param {string} reason Of all of them.
 * @param {Deeds} deeds What its buttons do.
 * @returns {HTMLElement} The host, its addresses and what can be done with them folded below it.
 */
function hostGroup(host, images, reason, deeds) {
  const rest = images.length - SHOWN_OF_HOST;
  return h(
    'details',
    { class: 'host', 'data-testid': 'host' },
    h('summary', {}, host, ' ', h('span', { class: 'muted tabular' }, count(images.length))),
    host !== UPLOADS && hostButtons(host, reason, deeds),
    h(
      'ul',
      { class: 'plain small addresses' },
      ...images.slice(0, SHOWN_OF_HOST).map(addressRow),
      rest > 0 &&
        h('li', { class: 'muted' }, `and ${plural(rest, 'more address', 'more addresses')}`),
    ),
  );
}

/**
 * @param {string} host Of a site.
 * @param {string} reason Of its addresses here.
 * @param {Deeds} deeds What the buttons do.
 * @returns {HTMLElement} Try it again, or be rid of it.
 */
function hostButtons(host, reason, { retry, remove }) {
  const message = messagePlace();
  const again = h(
    'button',
    {
      type: 'button',
      class: 'button small',
      'data-testid': 'retry-host',
      onclick: () => void runAction(again, message, () => retry(reason, host)),
    },
    `Retry ${host}`,
  );
  const removal = h(
    'button',
    {
      type: 'button',
      class: 'button small',
      'data-testid': 'remove-host',
      onclick: () => remove(host),
    },
    'Remove everything of this site…',
  );
  return h('div', { class: 'stack tight' }, h('div', { class: 'row' }, again, removal), message);
}

/**
 * @param {ReasonCount} group A reason and how many addresses have it.
 * @param {Deeds} deeds Reads its addresses, and what its hosts' buttons do.
 * @returns {HTMLElement} Its hosts, read when it is opened.
 */
function hostList(group, deeds) {
  const place = h('div', { class: 'stack tight' }, loadingNote());
  const details = h('details', {}, h('summary', {}, 'Hosts and addresses'), place);
  const draw = async () => {
    const images = await deeds.load(group.value);
    const isPart = images.length < group.count;
    replace(
      place,
      isPart &&
        h(
          'p',
          { class: 'muted small' },
          `The first ${count(images.length)} of ${count(group.count)}. A retry takes all of a host.`,
        ),
      ...groupByHost(images).map(([host, found]) => hostGroup(host, found, group.value, deeds)),
    );
  };
  details.addEventListener('toggle', () => {
    if (details.open) void draw().catch((error) => showFailure(place, error, deeds.signal));
  });
  return details;
}

/**
 * @param {ReasonCount} group A reason and how many addresses have it.
 * @param {Deeds} deeds What its buttons do.
 * @returns {HTMLElement} The group.
 */
function reasonGroup(group, deeds) {
  const reason = group.value;
  const { title, text } = explainReason(reason);
  const message = messagePlace();
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button small',
      'data-testid': `retry-${reason}`,
      onclick: () => void runAction(button, message, () => deeds.retry(reason)),
    },
    `Retry ${plural(group.count, 'address', 'addresses')}`,
  );
  return h(
    'section',
    { class: 'card stack tight reason', 'data-testid': `reason-${reason}` },
    h(
      'div',
      { class: 'row between' },
      h('h2', {}, title, ' ', h('code', { class: 'muted small' }, reason)),
      button,
    ),
    h('p', {}, text),
    message,
    hostList(group, deeds),
  );
}

/**
 * @param {{datasetId: string, label: string | null, signal: AbortSignal}} options Which of them.
 * @returns {{node: HTMLElement, refresh: () => void}} The view.
 */
export function rejectedView({ datasetId, label, signal }) {
  const node = h('div', { class: 'stack' }, loadingNote());
  const query = { status: 'rejected', label };
  let shown = '';
  const load = async (/** @type {string} */ reason) =>
    (await listImages(datasetId, { ...query, reason, limit: MAX_PAGE }, signal)).items;
  const countOf = async (/** @type {string} */ reason) =>
    (await listImages(datasetId, { ...query, reason, limit: 1 }, signal)).total;
  const readReasons = async () => {
    const all = facetValues(await readFacets(datasetId, signal), 'reason');
    if (label === null) return all;
    // Facets are those of the whole dataset.
    const counted = all.map(async ({ value }) => ({ value, count: await countOf(value) }));
    return (await Promise.all(counted)).filter((each) => each.count > 0);
  };
  const retry = async (/** @type {string} */ reason, /** @type {string | undefined} */ host) => {
    const { queued } = await retryImages(datasetId, host ? { reason, host } : { reason });
    toast(`${plural(queued, 'address', 'addresses')} queued again.`);
    await draw();
  };
  const remove = (/** @type {string} */ site) =>
    void openSiteRemoval({ site, datasetId, signal }).then((isRemoved) => isRemoved && refresh());
  const draw = async () => {
    const reasons = await readReasons();
    const now = JSON.stringify(reasons);
    // What is open stays open while other images arrive.
    if (now === shown) return;
    shown = now;
    const none = emptyState(
      'Nothing was rejected',
      'Every address that was fetched so far gave an image.',
    );
    const groups = reasons.map((group) => reasonGroup(group, { load, retry, remove, signal }));
    replace(node, ...(groups.length > 0 ? groups : [none]));
  };
  const refresh = () => void draw().catch((error) => showFailure(node, error, signal, refresh));
  refresh();
  return { node, refresh };
}
