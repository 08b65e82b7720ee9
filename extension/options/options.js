/** The options page: the pairing, and captures that wait. */
import { ext } from '../lib/browser.js';
import { messageOf } from '../lib/errors.js';
import { SEARCH_ORIGINS } from '../lib/search-hosts.js';
import { send } from '../lib/send.js';
import { byId, notify, plural, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */
/** @typedef {import('../lib/types.js').QueuedCapture} QueuedCapture */

const notice = byId('notice', HTMLElement);
const forgetButton = byId('forget-queue', HTMLButtonElement);

onClick('open-pairing', async () => {
  // The popup's pairing view, in a tab: browsers let no page open the popup itself.
  await ext.tabs.create({ url: ext.runtime.getURL('popup/popup.html?tab=-1') });
});
onClick('unpair', async () => {
  showPairing(await send('unpair', null));
  notify(notice, 'good', 'This browser is not paired any more.');
});
onClick('retry-queue', async () => showQueue(await send('retry-queue', null)));
onClick('forget-queue', async () => {
  // Forgetting cannot be undone: the second click does it.
  if (forgetButton.dataset['armed'] !== 'true') {
    forgetButton.dataset['armed'] = 'true';
    forgetButton.textContent = 'Really forget them?';
    return;
  }
  showQueue(await send('forget-captures', { capture_key: null }));
  notify(notice, 'plain', 'Forgotten.');
});

const counting = byId('counting', HTMLInputElement);
counting.addEventListener('change', () => {
  // Within the click: browsers ask for permissions at no other time.
  const answer = counting.checked
    ? ext.permissions.request({ origins: SEARCH_ORIGINS })
    : ext.permissions.remove({ origins: SEARCH_ORIGINS });
  void report(async () => void (await answer)).then(showCounting);
});

await showCounting();
await report(async () => {
  showPairing(await send('read-state', null));
  showQueue(await send('list-queue', null));
});

/** Show whether result pages are counted: the browser's permission is the switch. */
async function showCounting() {
  counting.checked = await ext.permissions.contains({ origins: SEARCH_ORIGINS });
}

/**
 * Show the pairing.
 *
 * @param {ExtensionState} state What the background remembers.
 */
function showPairing({ server, pairing }) {
  const link = byId('server-address', HTMLAnchorElement);
  link.href = `${server}/`;
  link.textContent = server;
  byId('paired-as', HTMLElement).textContent = pairing === null ? 'not paired' : pairing.name;
  byId('unpair', HTMLButtonElement).hidden = pairing === null;
  byId('open-pairing', HTMLButtonElement).hidden = pairing !== null;
  void showServer(server);
}

/**
 * Show whether the server answers.
 *
 * @param {string} server Its origin.
 */
async function showServer(server) {
  const line = byId('server-state', HTMLElement);
  try {
    const { version } = await send('check-server', { server });
    line.textContent = `running, version ${version}`;
  } catch (error) {
    line.textContent = messageOf(error);
  }
}

/**
 * Show what waits.
 *
 * @param {QueuedCapture[]} captures Captures that are not sent.
 */
function showQueue(captures) {
  const imageCount = captures.reduce((sum, { candidate_count }) => sum + candidate_count, 0);
  byId('queue-state', HTMLElement).textContent =
    captures.length === 0
      ? 'None: the server has acknowledged everything.'
      : `${plural(captures.length, 'capture')} with ${plural(imageCount, 'image')}. ${captures[0]?.error ?? ''}`;
  byId('retry-queue', HTMLButtonElement).hidden = captures.length === 0;
  forgetButton.hidden = captures.length === 0;
  forgetButton.dataset['armed'] = 'false';
  forgetButton.textContent = 'Forget them';
}

/**
 * Run an action on a click.
 *
 * @param {string} id Id of the button.
 * @param {() => Promise<void>} run The action.
 */
function onClick(id, run) {
  const button = byId(id, HTMLButtonElement);
  button.addEventListener('click', () => void whileBusy(button, () => report(run)));
}

/**
 * Run an action and show its error.
 *
 * @param {() => Promise<void>} run The action.
 */
async function report(run) {
  notify(notice, 'plain');
  try {
    await run();
  } catch (error) {
    notify(notice, 'bad', messageOf(error));
  }
}
