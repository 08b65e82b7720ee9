/**
 * Addresses that gave no image, grouped by reason, each with what it means and a retry.
 */
import { h, replace } from '../lib/dom.js';
import { explainReason } from '../lib/explain.js';
import { plural } from '../lib/format.js';
import { listImages, MAX_PAGE, retryImages } from '../lib/resources.js';
import { outsideLink } from './facts.js';
import { emptyState, errorCard, messagePlace, runAction, toast } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */

/**
 * @param {Image[]} images Rejected ones.
 * @returns {[string, Image[]][]} By reason, the most frequent first.
 */
export function groupByReason(images) {
  /** @type {Map<string, Image[]>} */
  const groups = new Map();
  for (const image of images) {
    const reason = image.reason ?? '';
    groups.set(reason, [...(groups.get(reason) ?? []), image]);
  }
  return [...groups].sort((a, b) => b[1].length - a[1].length);
}

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
 * @param {string} reason Of all of them.
 * @param {Image[]} images The group.
 * @param {(reason: string) => Promise<void>} onRetry Queues them again.
 * @returns {HTMLElement} The group.
 */
function reasonGroup(reason, images, onRetry) {
  const { title, text } = explainReason(reason);
  const message = messagePlace();
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button small',
      'data-testid': `retry-${reason}`,
      onclick: () => void runAction(button, message, () => onRetry(reason)),
    },
    `Retry ${plural(images.length, 'address', 'addresses')}`,
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
    h(
      'details',
      {},
      h('summary', {}, 'Addresses'),
      h('ul', { class: 'plain small addresses' }, ...images.map(addressRow)),
    ),
  );
}

/**
 * @param {{datasetId: string, label: string | null, signal: AbortSignal}} options Which of them.
 * @returns {{node: HTMLElement, refresh: () => void}} The view.
 */
export function rejectedView({ datasetId, label, signal }) {
  const node = h('div', { class: 'stack' }, h('p', { class: 'muted' }, 'Loading…'));
  const retry = async (/** @type {string} */ reason) => {
    const { queued } = await retryImages(datasetId, reason);
    toast(`${plural(queued, 'address', 'addresses')} queued again.`);
    await draw();
  };
  const draw = async () => {
    const query = { status: 'rejected', label, limit: MAX_PAGE };
    const page = await listImages(datasetId, query, signal);
    const groups = groupByReason(page.items).map(([reason, images]) =>
      reasonGroup(reason, images, retry),
    );
    const isPart = page.items.length < page.total;
    replace(
      node,
      isPart &&
        h(
          'p',
          { class: 'muted' },
          `The first ${plural(page.items.length, 'address', 'addresses')} of ${String(page.total)}. A retry takes all of its reason.`,
        ),
      ...(groups.length > 0
        ? groups
        : [
            emptyState(
              'Nothing was rejected',
              'Every address that was fetched so far gave an image.',
            ),
          ]),
    );
  };
  const refresh = () =>
    void draw().catch((error) => {
      if (!signal.aborted) replace(node, errorCard(error, refresh));
    });
  refresh();
  return { node, refresh };
}
