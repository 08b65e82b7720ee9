/** Entry of the options page. */
import { ext } from '../lib/browser.js';
import { messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { text } from '../lib/text.js';
import { byId, notify } from '../ui/dom.js';
import { followTheme } from '../ui/theme.js';
import { translate } from '../ui/translate.js';
import { AnswersView } from './answers-view.js';
import { DataView } from './data-view.js';
import { QueueView } from './queue-view.js';
import { ServersView } from './servers-view.js';
import { showShortcuts } from './shortcuts-view.js';
import { SitesView } from './sites-view.js';
import { SwitchesView } from './switches-view.js';

/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */

translate(document);
const isThemed = followTheme(document);
const notice = byId('notice', HTMLElement);
/** @type {import('./page.js').Page} */
const page = {
  report,
  say: (tone, sentence) => notify(notice, tone, sentence),
  refresh,
};
const servers = new ServersView(page);
const queue = new QueueView(page);
const sites = new SitesView(page);
const switches = new SwitchesView(page);
const answers = new AnswersView(page);
const data = new DataView(page);

byId('version', HTMLElement).textContent = text('aboutVersion', ext.runtime.getManifest().version);
await Promise.all([isThemed, report(refresh), report(showShortcuts)]);

/** Show everything as it is now. */
async function refresh() {
  const [state, captures] = await Promise.all([send('read-state', null), send('list-queue', null)]);
  switches.show(state);
  queue.show(captures);
  data.show(captures);
  showLinks(state);
  await Promise.all([servers.show(), sites.show(state.sites_off), answers.show()]);
}

/**
 * Lead to the pages of the server in use.
 *
 * @param {ExtensionState} state What the background remembers.
 */
function showLinks({ server }) {
  byId('server-page', HTMLAnchorElement).href = `${server}/`;
  byId('server-docs', HTMLAnchorElement).href = `${server}/docs`;
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
