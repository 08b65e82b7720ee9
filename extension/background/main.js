/**
 * Background entry. Registers every listener synchronously, as the browser wakes this worker for an
 * event and looks for its listener at once; keeps nothing in memory between two events.
 */
import { clientName, ext } from '../lib/browser.js';
import { runElsewhere } from '../inference/elsewhere.js';
import { keptStore } from '../inference/kept-store.js';
import { BowerbirdError, serialiseError } from '../lib/errors.js';
import { text } from '../lib/text.js';
import { Badge } from './badge.js';
import { BrowserFetch } from './browser-fetch.js';
import { sendCapture } from './captures.js';
import { Classifier } from './classify.js';
import { addMenuItem, onMenuClick } from './context-menu.js';
import { deleteDatabases } from './databases.js';
import { FeedbackSender } from './feedback.js';
import { makeHandlers } from './handlers.js';
import { KeptModels } from './kept-models.js';
import { MARKS_COMMAND, OverlayHost } from './overlay.js';
import { dropOptionalHosts } from './permissions.js';
import { indexedDbStore } from './queue-store.js';
import { CaptureQueue } from './queue.js';
import { RequestRules } from './request-rules.js';
import { scanTab } from './scan.js';
import { setUpScrolling } from './scroll-wiring.js';
import { SessionImages } from './session-image.js';
import { Session } from './session.js';
import { SettingsStore } from './settings.js';
import { CAPTURE_COMMAND, Shortcut } from './shortcut.js';
import { registerSiteScripts } from './site-scripts.js';
import { showInTab } from './toast.js';

/** @typedef {import('../lib/messages.js').Answer} Answer */
/** @typedef {import('../lib/messages.js').Envelope} Envelope */

const QUEUE_ALARM = 'send-captures';
/** The alarm repeats: a worker that dies before it sets the next one is woken all the same. */
const QUEUE_PERIOD_MINUTES = 30;
const SITES_LOCK = 'bowerbird-sites';
const manifest = /** @type {chrome.runtime.ManifestV3} */ (ext.runtime.getManifest());
/** @type {string[]} */
const REQUIRED_HOSTS = manifest.host_permissions ?? [];

const client = clientName();
const store = indexedDbStore();
const settings = new SettingsStore(ext.storage.local, (part) => store.settle(part));
const session = new Session(settings, client);
const rules = new RequestRules(ext.declarativeNetRequest, new URL(ext.runtime.getURL('')).host);
const images = new SessionImages(rules, () => settings.listOrigins());
const kept = new KeptModels({
  session,
  settings,
  store: keptStore(),
  run: runElsewhere,
  lock: (name, run) => navigator.locks.request(name, run),
  now: () => Date.now(),
});
const classifier = new Classifier(session, images, kept);
const feedback = new FeedbackSender(session, classifier);
const browserFetch = new BrowserFetch({
  session,
  images,
  area: ext.storage.session,
  isPermitted: (origins) => ext.permissions.contains({ origins }),
});
const queue = new CaptureQueue({
  store,
  send: async (entry, body) => {
    const reply = await sendCapture(session, entry, body);
    void overlay.announce();
    return reply;
  },
  schedule: async (atMs) => {
    await (atMs === null
      ? ext.alarms.clear(QUEUE_ALARM)
      : ext.alarms.create(QUEUE_ALARM, { when: atMs, periodInMinutes: QUEUE_PERIOD_MINUTES }));
  },
  lock: (name, run) => navigator.locks.request(`bowerbird-queue-${name}`, run),
  now: () => Date.now(),
});
const badge = new Badge({
  action: ext.action,
  scan: scanTab,
  readSitesOff: async () => (await settings.read()).sites_off,
});
/** @type {(tabId: number) => Promise<import('../lib/types.js').PageScan>} */
const scan = (tabId) => badge.scan(tabId);
const overlay = new OverlayHost({
  settings,
  session,
  tabs: ext.tabs,
  enter: scanTab,
  isPermitted: (origin) => ext.permissions.contains({ origins: [origin] }),
});
const scrolling = setUpScrolling({ settings, queue, client, scan });
const shortcut = new Shortcut({ settings, queue, client, scan, show: showInTab });
const handlers = makeHandlers({
  settings,
  session,
  queue,
  classifier,
  feedback,
  kept,
  browserFetch,
  client,
  scan,
  scrolling,
  overlay,
  onDatasetChanged: () => void overlay.announce(),
  eraseStores: async () => {
    await deleteDatabases(indexedDB);
    await ext.storage.session.clear();
  },
  onSitesSwitched: syncSiteScripts,
  dropPermissions: () => dropOptionalHosts(ext.permissions, REQUIRED_HOSTS),
});

// The token is no business of content scripts, which share a process with the page. Firefox 153
// cannot say so.
if ('setAccessLevel' in ext.storage.local) {
  void ext.storage.local.setAccessLevel({ accessLevel: 'TRUSTED_CONTEXTS' });
}
ext.runtime.onInstalled.addListener(() => {
  void addMenuItem();
  // An update forgets what was registered.
  void syncSiteScripts();
});
// Alarms may not survive a restart of the browser; the queue does. This listener wakes the worker.
ext.runtime.onStartup.addListener(() => void queue.sendQueued());
ext.alarms.onAlarm.addListener(({ name }) => {
  if (name === QUEUE_ALARM) void queue.sendDue();
});
// The browser's question closes the popup that asked it.
ext.permissions.onAdded.addListener(() => void browserFetch.startWished());
ext.contextMenus.onClicked.addListener((info, tab) => void onMenuClick(classifier, info, tab));
ext.commands.onCommand.addListener((command, tab) => {
  if (tab?.id === undefined) return;
  if (command === CAPTURE_COMMAND) void shortcut.capture(tab.id);
  if (command === MARKS_COMMAND) void overlay.focus(tab.id);
});
ext.tabs.onUpdated.addListener((tabId, change, tab) => {
  void badge.onTabUpdated(tabId, change, tab);
});
ext.runtime.onMessage.addListener((/** @type {Envelope} */ envelope, sender, respond) => {
  if (sender.id !== ext.runtime.id) return false;
  // Our own pages only: a content script shares its process with a page that may be hostile.
  if (sender.url?.startsWith(ext.runtime.getURL(''))) void answer(envelope).then(respond);
  else void overlay.answer(envelope, sender).then(respond);
  return true;
});
ext.storage.onChanged.addListener((_changes, area) => {
  if (area === 'local') void overlay.onSettings();
});

// What a killed worker left behind, and in the middle of.
void rules.start();
void browserFetch.resume();
// Whatever woke this worker: what is due goes out, and an alarm is set for the rest.
void queue.sendDue();

/** Read the sites that are on from the start of their pages, and no others. */
async function syncSiteScripts() {
  try {
    // One at a time, by what is stored then: two at once would register the same scripts twice.
    await navigator.locks.request(SITES_LOCK, async () => {
      const { sites_off } = await settings.read();
      await registerSiteScripts(ext.scripting, sites_off);
    });
    await badge.clearSitesOff(await ext.tabs.query({}));
  } catch (error) {
    // What is stored is of a newer extension: no site is read unasked, since some may be off.
    if (!(error instanceof BowerbirdError)) throw error;
  }
}

/**
 * Run the handler of a message.
 *
 * @param {Envelope} envelope The message.
 * @returns {Promise<Answer>} Its reply, or its error as data.
 */
async function answer({ type, request }) {
  const handler = /** @type {((request: unknown) => Promise<unknown>) | undefined} */ (
    Object.hasOwn(handlers, type) ? handlers[type] : undefined
  );
  try {
    if (handler === undefined) throw new BowerbirdError('unexpected', text('noSuchMessage', type));
    return { ok: true, reply: await handler(request) };
  } catch (error) {
    return { ok: false, error: serialiseError(error) };
  }
}
