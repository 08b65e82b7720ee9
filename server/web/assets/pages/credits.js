/**
 * The credits of a dataset: where each image comes from, under which licence, and all of it as text to take away.
 */
import { outsideLink } from '../components/facts.js';
import {
  emptyState,
  loadingNote,
  messagePlace,
  runAction,
  showFailure,
  toast,
} from '../components/notices.js';
import { progressBar } from '../components/progress.js';
import { saveText } from '../components/save-button.js';
import { allCredits, creditTitle, creditUrl } from '../lib/credits.js';
import { h, picture, replace } from '../lib/dom.js';
import { count, plural } from '../lib/format.js';
import { labelNames, labelTag } from '../lib/labels.js';
import { onlyNewest } from '../lib/newest.js';
import { listCredits, MAX_PAGE, readDataset, thumbnailUrl } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Credit} Credit */

/** Lines added at once. */
const PAGE = 100;

/**
 * @param {Credit} credit Of an image.
 * @param {string[]} labels All labels, for their colours.
 * @returns {HTMLElement} A line.
 */
function creditRow(credit, labels) {
  const title = creditTitle(credit);
  return h(
    'li',
    { class: 'credit', 'data-testid': 'credit' },
    h(
      'a',
      { href: hashFor('images', credit.image_id), 'aria-label': `Image: ${title}` },
      picture(thumbnailUrl(credit.image_id), '', { width: 48, height: 48 }),
    ),
    h(
      'div',
      {},
      outsideLink(creditUrl(credit), title) ?? title,
      h('br'),
      h(
        'span',
        { class: 'muted small' },
        [credit.site, credit.license ? `licence: ${credit.license}` : 'licence not known']
          .filter(Boolean)
          .join(' · '),
      ),
    ),
    labelTag(credit.label, labels),
  );
}

/**
 * @param {string} datasetId Whose credits.
 * @param {string} name Of the dataset, for the file.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The buttons that take the whole list away.
 */
function takeAway(datasetId, name, signal) {
  const message = messagePlace();
  const read = () =>
    allCredits(
      (cursor) => listCredits(datasetId, { cursor, limit: MAX_PAGE }, signal),
      (done, total) => replace(message, progressBar({ done, total, label: 'Reading the credits' })),
    );
  const button = (
    /** @type {string} */ title,
    /** @type {(text: string) => void | Promise<void>} */ use,
  ) => {
    const run = async () => {
      await use(await read());
      replace(message);
    };
    const node = h(
      'button',
      { type: 'button', class: 'button', onclick: () => void runAction(node, message, run) },
      title,
    );
    return node;
  };
  const copy = async (/** @type {string} */ text) => {
    await navigator.clipboard.writeText(text).catch(() => {
      throw new Error('The browser did not allow copying. Save them as a file instead.');
    });
    toast('Copied the credits.');
  };
  return h(
    'div',
    { class: 'stack tight' },
    h(
      'div',
      { class: 'row' },
      button('Save as text', (text) => saveText(`${name} credits.txt`, text)),
      button('Copy', copy),
    ),
    message,
  );
}

/**
 * @param {string} datasetId Whose credits.
 * @param {string[]} labels Its labels.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The list, read page by page.
 */
function creditList(datasetId, labels, signal) {
  const list = h('ul', { class: 'plain', 'data-testid': 'credits' });
  const foot = h('div', {}, loadingNote());
  const load = async (/** @type {string | null} */ cursor, /** @type {AbortSignal} */ asked) => {
    const { items, next_cursor, total } = await listCredits(
      datasetId,
      { cursor, limit: PAGE },
      asked,
    );
    const rows = items.map((credit) => creditRow(credit, labels));
    list.append(...rows);
    // Who pressed “Show more” goes on with what came.
    if (foot.contains(document.activeElement)) rows[0]?.querySelector('a')?.focus();
    const shown = list.childElementCount;
    replace(
      foot,
      total === 0 && emptyState('No image yet', 'Credits are listed for images that are ready.'),
      next_cursor !== null &&
        h(
          'button',
          {
            type: 'button',
            class: 'button',
            'data-testid': 'more-credits',
            onclick: () => run(next_cursor),
          },
          `Show more: ${count(shown)} of ${plural(total, 'image')}`,
        ),
    );
  };
  const next = onlyNewest(signal);
  const run = (/** @type {string | null} */ cursor) => {
    // A second press before the answer would show the same lines twice.
    const asked = next();
    void load(cursor, asked).catch((error) => showFailure(foot, error, asked, () => run(cursor)));
  };
  run(null);
  return h('div', { class: 'card stack' }, list, foot);
}

/**
 * Show the credits of a dataset.
 * @param {import('../lib/types.js').PageContext} context Where, whose, and until when.
 */
export async function show({ root, route, signal }) {
  const dataset = await readDataset(route.id ?? '', signal);
  document.title = `Credits · ${dataset.name} · Bowerbird`;
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
      h('h1', { tabindex: -1 }, 'Credits'),
      h(
        'p',
        { class: 'lead' },
        'Where the images come from. Titles and licences are what pages said; nobody has checked them.',
      ),
    ),
    h(
      'div',
      { class: 'stack' },
      takeAway(dataset.id, dataset.name, signal),
      creditList(dataset.id, labelNames(dataset), signal),
    ),
  );
}
