/** The background's parts put together as main.js does, with storage in memory. */
import './i18n.js';
import { BrowserFetch } from '../../../extension/background/browser-fetch.js';
import { sendCapture } from '../../../extension/background/captures.js';
import { FeedbackSender } from '../../../extension/background/feedback.js';
import { Classifier } from '../../../extension/background/classify.js';
import { makeHandlers } from '../../../extension/background/handlers.js';
import { KeptModels } from '../../../extension/background/kept-models.js';
import { CaptureQueue } from '../../../extension/background/queue.js';
import { RequestRules } from '../../../extension/background/request-rules.js';
import { BLANK_SERVER, REVISION } from '../../../extension/background/revisions.js';
import { SessionImages } from '../../../extension/background/session-image.js';
import { Session } from '../../../extension/background/session.js';
import { SettingsStore } from '../../../extension/background/settings.js';
import { MemoryRules } from './rules.js';
import { MemoryArea, MemoryModels, MemoryStore, makeLocks } from './storage.js';

export const PAIRING = {
  token: 't0k',
  token_id: '01T',
  name: 'this browser',
  server_version: '0.1.0',
};
export const BEARS = { id: '01D', name: 'bears' };

/**
 * Make the handlers, paired with a server.
 *
 * @param {string} server Its origin.
 * @param {object} [ofServer] What is remembered of it.
 * @param {object} [browserParts] What erasing and switching ask of the browser, as `Services` names it.
 * @returns {{settings: SettingsStore, session: Session, queue: CaptureQueue, images: SessionImages,
 *   browserRules: MemoryRules, handlers: object, kept: KeptModels, store: MemoryModels}} The parts.
 */
export function makeBackground(server, ofServer = {}, browserParts = {}) {
  const known = { ...BLANK_SERVER, url: server, pairing: PAIRING, ...ofServer };
  const area = new MemoryArea({ revision: REVISION, server, servers: [known] });
  const settings = new SettingsStore(area);
  const client = 'client/1 (test)';
  const session = new Session(settings, client);
  const queue = new CaptureQueue({
    store: new MemoryStore(),
    send: (entry, body) => sendCapture(session, entry, body),
    schedule: async () => undefined,
    lock: makeLocks()(),
    now: () => Date.now(),
  });
  const browserRules = new MemoryRules();
  const rules = new RequestRules(browserRules, 'own');
  const images = new SessionImages(rules, async () => [server]);
  const store = new MemoryModels();
  const kept = new KeptModels({
    session,
    settings,
    store,
    run: browserParts.run ?? (() => Promise.reject(new Error('no model runs in this test'))),
    lock: makeLocks()(),
    now: () => Date.now(),
  });
  const classifier = new Classifier(session, images, kept);
  const isPermitted = async () => true;
  const browserFetch = new BrowserFetch({ session, images, area: new MemoryArea(), isPermitted });
  const handlers = makeHandlers({
    settings,
    session,
    queue,
    classifier,
    feedback: new FeedbackSender(session, classifier),
    kept,
    browserFetch,
    client,
    ...browserParts,
  });
  return { settings, session, queue, images, browserRules, handlers, kept, store, classifier };
}
