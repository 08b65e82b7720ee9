/** Entry of the popup: pairing while there is none, then the two tabs. */
import { ext } from '../lib/browser.js';
import { messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { nameServer } from '../lib/server-address.js';
import { text } from '../lib/text.js';
import { byId, notify } from '../ui/dom.js';
import { PairingView } from '../ui/pairing-view.js';
import { followTheme } from '../ui/theme.js';
import { translate } from '../ui/translate.js';
import { CaptureView } from './capture-view.js';
import { ClassifyView } from './classify-view.js';
import { openOverlaySwitch } from './overlay-switch.js';
import { ServerField } from './server-field.js';

/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */

const TABS = /** @type {const} */ (['capture', 'classify']);
const VERSION_SENTENCES = { older: 'versionOlder', newer: 'versionNewer' };
translate(document);
void followTheme(document);
const tabList = byId('tabs', HTMLElement);
const loading = byId('loading', HTMLElement);
const pairingView = byId('pairing-view', HTMLElement);
const servers = new ServerField(open);
const pairing = new PairingView(open);
const capture = new CaptureView(onPairingLost);
const isPopup = tabFromAddress() === null;
const classify = new ClassifyView(onPairingLost, isPopup ? () => void popOut('classify') : null);
/** Opens the second tab: what it asks for would slow down the first, which most people want. */
let openClassify = () => {};

for (const name of TABS) {
  byId(`tab-${name}`, HTMLButtonElement).addEventListener('click', () => select(name));
}
tabList.addEventListener('keydown', ({ key }) => {
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return;
  const other = TABS.find((name) => tabOf(name).getAttribute('aria-selected') === 'false');
  if (other === undefined) return;
  select(other);
  tabOf(other).focus();
});
byId('open-options', HTMLButtonElement).addEventListener('click', () => {
  void ext.runtime.openOptionsPage();
});
byId('pop-out', HTMLButtonElement).addEventListener('click', () => void popOut(shownTab()));

await start();

/** Find the tab to act on, and open the view that the pairing allows. */
async function start() {
  if (!isPopup) document.documentElement.dataset['shape'] = 'page';
  byId('pop-out', HTMLButtonElement).hidden = !isPopup;
  try {
    await open(await send('read-state', null));
  } catch (error) {
    notify(loading, 'bad', messageOf(error));
  }
}

/**
 * Show what the state allows.
 *
 * @param {ExtensionState} state What the background remembers.
 * @returns {Promise<void>} Settled when the view shows what it has.
 */
async function open(state) {
  const server = byId('server-link', HTMLAnchorElement);
  server.href = `${state.server}/`;
  server.textContent = nameServer(state.server);
  server.title = text('serverOpen', state.server);
  server.setAttribute('aria-label', server.title);
  const isPaired = state.pairing !== null;
  loading.hidden = true;
  void servers.show();
  tabList.hidden = !isPaired;
  pairingView.hidden = isPaired;
  if (!isPaired) {
    for (const name of TABS) viewOf(name).hidden = true;
    return pairing.open(state);
  }
  select('capture');
  const tabId = await findTab();
  openClassify = () => {
    openClassify = () => {};
    void classify.open(state);
  };
  if (new URLSearchParams(location.search).get('view') === 'classify') select('classify');
  await Promise.all([capture.open(state, tabId), sayVersions()]);
  await openOverlaySwitch(tabId, state.is_model_asked);
}

/** Say it when server and extension are of different times; either may have been updated alone. */
async function sayVersions() {
  try {
    const order = await send('compare-versions', null);
    const content = order === 'same' ? [] : [text(VERSION_SENTENCES[order])];
    notify(byId('version-notice', HTMLElement), 'warn', ...content);
  } catch {
    // The server is down or unpaired: the views say so.
  }
}

/** Go back to pairing, since the server does not know this browser any more. */
async function onPairingLost() {
  await open(await send('read-state', null));
}

/**
 * Show a tab's view.
 *
 * @param {typeof TABS[number]} chosen The tab.
 */
function select(chosen) {
  for (const name of TABS) {
    const isChosen = name === chosen;
    viewOf(name).hidden = !isChosen;
    tabOf(name).setAttribute('aria-selected', String(isChosen));
    tabOf(name).tabIndex = isChosen ? 0 : -1;
  }
  if (chosen === 'classify') openClassify();
}

/**
 * Find a tab's button.
 *
 * @param {typeof TABS[number]} name The tab.
 * @returns {HTMLButtonElement} Its button.
 */
function tabOf(name) {
  return byId(`tab-${name}`, HTMLButtonElement);
}

/**
 * Find a tab's view.
 *
 * @param {typeof TABS[number]} name The tab.
 * @returns {HTMLElement} Its view.
 */
function viewOf(name) {
  return byId(`${name}-view`, HTMLElement);
}

/** @returns {number | null} The browser tab named in our own address, when opened as a page. */
function tabFromAddress() {
  const text = new URLSearchParams(location.search).get('tab');
  return text === null ? null : Number(text);
}

/** @returns {Promise<number | null>} The browser tab to act on: the named one, or the active one. */
async function findTab() {
  const named = tabFromAddress();
  if (named !== null) return named;
  const [active] = await ext.tabs.query({ active: true, currentWindow: true });
  return active?.id ?? null;
}

/** @returns {typeof TABS[number]} The tab that is shown. */
function shownTab() {
  return TABS.find((name) => !viewOf(name).hidden) ?? 'capture';
}

/**
 * Continue in a window of its own, which does not close when the person clicks elsewhere.
 *
 * @param {typeof TABS[number]} view The tab to show there.
 */
async function popOut(view) {
  const url = ext.runtime.getURL(`popup/popup.html?tab=${await findTab()}&view=${view}`);
  await ext.windows.create({ url, type: 'popup', width: 520, height: 760 });
  window.close();
}
