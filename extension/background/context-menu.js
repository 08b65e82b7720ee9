/** "What is this?" on an image: asks the model and shows the answer in the page. */
import { ext } from '../lib/browser.js';
import { BowerbirdError, messageOf } from '../lib/errors.js';
import { nameAnswer } from '../lib/label.js';
import { text } from '../lib/text.js';
import { findPageHost } from './page-site.js';
import { showInTab } from './toast.js';

/** @typedef {import('../lib/types.js').Classification} Classification */
/** @typedef {import('./toast.js').Toast} Toast */

const MENU_ITEM = 'classify-image';
const SHOWN_COUNT = 3;

/** Put the entry into the menu, at installation and at each update, where the former one is left. */
export async function addMenuItem() {
  await ext.contextMenus.removeAll();
  ext.contextMenus.create({
    id: MENU_ITEM,
    title: text('menuClassify'),
    contexts: ['image'],
  });
}

/**
 * Answer a click on the entry.
 *
 * @param {import('./classify.js').Classifier} classifier Asks the server.
 * @param {chrome.contextMenus.OnClickData} info What was clicked.
 * @param {chrome.tabs.Tab | undefined} tab Where.
 */
export async function onMenuClick(classifier, info, tab) {
  if (info.menuItemId !== MENU_ITEM || tab?.id === undefined) return;
  const tabId = tab.id;
  await showInTab(tabId, { title: text('toastLooking'), note: '', bars: [], tone: 'busy' });
  try {
    if (!info.srcUrl) throw new BowerbirdError('bad-address', text('imageNoAddress'));
    const url = info.srcUrl.startsWith('blob:')
      ? await readInPage(tabId, info.frameId ?? 0, info.srcUrl)
      : info.srcUrl;
    const site = findPageHost(info.frameUrl ?? info.pageUrl);
    await showInTab(tabId, describe(await classifier.classifyAddress(url, null, site)));
  } catch (error) {
    await showInTab(tabId, {
      title: text('toastCouldNotTell'),
      note: messageOf(error),
      bars: [],
      tone: 'error',
    });
  }
}

/**
 * Put a classification into words.
 *
 * @param {Classification} answer The model's answer.
 * @returns {Toast} What to show.
 */
export function describe(answer) {
  return {
    title: nameAnswer(answer),
    note: answer.dataset_name === null ? '' : text('toastModelOf', answer.dataset_name),
    bars: answer.predictions.slice(0, SHOWN_COUNT).map(({ label, probability }) => ({
      label,
      percent: Math.round(probability * 100),
    })),
    tone: 'answer',
  };
}

/**
 * Read an image that exists in its page alone.
 *
 * @param {number} tabId The tab.
 * @param {number} frameId The frame within it.
 * @param {string} url A blob: address.
 * @returns {Promise<string>} The image as a data: address.
 * @throws {BowerbirdError} `page-not-readable`.
 */
async function readInPage(tabId, frameId, url) {
  const [injection] = await ext.scripting.executeScript({
    target: { tabId, frameIds: [frameId] },
    args: [url],
    func: async (/** @type {string} */ address) => {
      const blob = await (await fetch(address)).blob();
      return new Promise((/** @type {(value: unknown) => void} */ resolve) => {
        const reader = new FileReader();
        reader.onloadend = () => resolve(reader.result);
        reader.readAsDataURL(blob);
      });
    },
  });
  const dataUrl = /** @type {unknown} */ (injection?.result);
  if (typeof dataUrl === 'string') return dataUrl;
  throw new BowerbirdError('page-not-readable', text('imageNotReadable'));
}
