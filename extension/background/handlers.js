/** What the background does for each message of the extension's own pages. */
import { BowerbirdError } from '../lib/errors.js';
import { makeBrowserFetchHandlers } from './browser-fetch-handlers.js';
import { capture, summariseQueue, undoCapture } from './captures.js';
import { askKnown } from './known.js';
import { makePreferenceHandlers } from './preference-handlers.js';
import { scrollHandlers } from './scroll-handlers.js';
import { makeServerHandlers } from './server-handlers.js';

/** @typedef {import('../lib/messages.js').Handlers} Handlers */

const OFFLINE_KINDS = new Set(['server-down', 'another-program']);

/**
 * @typedef {object} Services
 * @property {import('./settings.js').SettingsStore} settings What is remembered.
 * @property {import('./session.js').Session} session The paired server.
 * @property {import('./queue.js').CaptureQueue} queue Captures on their way.
 * @property {import('./classify.js').Classifier} classifier Asks the model.
 * @property {import('./feedback.js').FeedbackSender} feedback Tells what answers were worth.
 * @property {import('./kept-models.js').KeptModels} kept Models in this browser.
 * @property {import('./browser-fetch.js').BrowserFetch} browserFetch Gets what the server could not.
 * @property {string} client Name of this build for the server.
 * @property {(tabId: number) => Promise<import('../lib/types.js').PageScan>} scan Reads a page.
 * @property {import('./scroll.js').ScrollRuns} scrolling Scrolls pages and captures what that brings.
 * @property {import('./overlay.js').OverlayHost} overlay Marks in pages.
 * @property {() => void} [onDatasetChanged] Told when captures were taken back.
 * @property {() => Promise<void>} onSitesSwitched Told when search sites were switched on or off.
 * @property {() => Promise<void>} eraseStores Deletes what is kept beside the settings.
 * @property {() => Promise<void>} dropPermissions Gives back what the browser allowed after installation.
 */

/**
 * Make the handlers.
 *
 * @param {Services} services What they work with.
 * @returns {Handlers} One for each message.
 */
export function makeHandlers(services) {
  const { settings, session, classifier } = services;
  return {
    ...makeServerHandlers(services),
    ...makePreferenceHandlers(services),
    ...queueHandlers(services),
    ...scrollHandlers(() => services.scrolling),
    ...makeBrowserFetchHandlers(services),
    'read-page-overlay': ({ tab_id }) => services.overlay.readSwitch(tab_id),
    'turn-page-overlay': ({ tab_id, is_on }) => services.overlay.turn(tab_id, is_on),
    'read-opinions': ({ tab_id, dataset_id }) => services.overlay.readOpinions(tab_id, dataset_id),
    'scan-page': ({ tab_id }) => services.scan(tab_id),
    'list-datasets': () => listDatasets(services),
    'create-dataset': ({ name }) =>
      session.call({ method: 'POST', path: '/datasets', json: { name } }),
    'choose-dataset': async ({ dataset_id }) => {
      await settings.update({ dataset_id });
      return null;
    },
    'find-known': async ({ dataset_id, urls }) => {
      const { server } = await settings.read();
      return (await askKnown(session, { server, dataset_id }, urls)).known;
    },
    ...keptModelHandlers(services),
    'classify-address': ({ url, dataset_id }) => classifier.classifyAddress(url, dataset_id),
    'classify-upload': ({ data_url, dataset_id }) =>
      classifier.classifyAddress(data_url, dataset_id),
    'give-feedback': async ({ image, verdict }) => {
      await services.feedback.send(image, verdict);
      return null;
    },
  };
}

/**
 * Make the handlers of models, live ones and those that are kept here.
 *
 * @param {Services} services What they work with.
 * @returns {Pick<Handlers, 'list-live-models' | 'list-kept-models' | 'choose-answers' | 'refresh-kept-models' | 'forget-kept-models'>}
 *   The handlers.
 */
function keptModelHandlers({ session, kept }) {
  return {
    'list-live-models': async () => {
      try {
        return await session.list('/models', { stage: 'live' });
      } catch (error) {
        // While the server is away those answer that are here, if they may.
        if ((await kept.findAfter(null, error)) === null) throw error;
        const { models } = await kept.list();
        return models.map(({ model_id, dataset_id, bundle_sha256, facts, kept_at_ms }) => ({
          id: model_id,
          dataset_id,
          bundle_sha256,
          stage: 'live',
          classes: facts.classes,
          created_at: new Date(kept_at_ms).toISOString(),
        }));
      }
    },
    'list-kept-models': () => kept.list(),
    'choose-answers': async ({ mode }) => {
      await kept.choose(mode);
      if (mode !== 'off') await kept.refresh();
      return null;
    },
    'refresh-kept-models': async () => {
      await kept.refresh();
      return null;
    },
    'forget-kept-models': async ({ bundle_sha256 }) => {
      await kept.forget(bundle_sha256);
      return null;
    },
  };
}

/**
 * Make the handlers of captures and their queue.
 *
 * @param {Services} services What they work with.
 * @returns {Pick<Handlers, 'capture' | 'undo-capture' | 'list-queue' | 'retry-queue' | 'forget-captures'>}
 *   The handlers.
 */
function queueHandlers(services) {
  const { queue } = services;
  const list = async () => summariseQueue(await queue.list());
  return {
    capture: (request) => capture(services, request),
    'undo-capture': async ({ capture_key }) => {
      const undone = await undoCapture(services, capture_key);
      services.onDatasetChanged?.();
      return undone;
    },
    'list-queue': list,
    'retry-queue': async () => {
      await queue.retry();
      return list();
    },
    'forget-captures': async ({ capture_key }) => {
      await queue.forget(capture_key);
      return list();
    },
  };
}

/**
 * List the datasets; while the server is down, as they were last seen: captures need a destination.
 *
 * @param {Services} services What it works with.
 * @returns {Promise<import('../lib/messages.js').Reply<'list-datasets'>>} The datasets.
 */
async function listDatasets({ session, settings, queue }) {
  const { server, datasets: lastSeen } = await settings.read();
  try {
    /** @type {import('../lib/types.js').Dataset[]} */
    const datasets = await session.list('/datasets', {}, server);
    await settings.update({ datasets }, server);
    // It answers: what could not be sent goes out now, but nobody waits for it.
    void queue.sendQueued();
    return { datasets, offline: null };
  } catch (error) {
    const isDown = error instanceof BowerbirdError && OFFLINE_KINDS.has(error.kind);
    if (!isDown || lastSeen.length === 0) throw error;
    return { datasets: lastSeen, offline: error.message };
  }
}
