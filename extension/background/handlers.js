/** What the background does for each message of the extension's own pages. */
import { BowerbirdError } from '../lib/errors.js';
import { parseServer } from '../lib/server-address.js';
import { capture, undoLastCapture } from './captures.js';

/** @typedef {import('../lib/messages.js').Handlers} Handlers */
/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */
/** @typedef {import('../lib/types.js').QueuedCapture} QueuedCapture */

const OFFLINE_KINDS = new Set(['server-down', 'another-program']);
/** The server takes this many addresses in one question. */
const KNOWN_BATCH_SIZE = 500;

/**
 * @typedef {object} Services
 * @property {import('./settings.js').SettingsStore} settings What is remembered.
 * @property {import('./session.js').Session} session The paired server.
 * @property {import('./queue.js').CaptureQueue} queue Captures on their way.
 * @property {import('./classify.js').Classifier} classifier Asks the model.
 * @property {string} client Name of this build for the server.
 * @property {(tabId: number) => Promise<import('../lib/types.js').PageScan>} scan Reads a page.
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
    ...pairingHandlers(services),
    ...queueHandlers(services),
    'scan-page': ({ tab_id }) => services.scan(tab_id),
    'list-datasets': () => listDatasets(services),
    'create-dataset': ({ name }) =>
      session.call({ method: 'POST', path: '/datasets', json: { name } }),
    'choose-dataset': async ({ dataset_id }) => {
      await settings.update({ dataset_id });
      return null;
    },
    'set-filters': async ({ filters }) => {
      await settings.update({ filters });
      return null;
    },
    'find-known': ({ dataset_id, urls }) => findKnown(session, dataset_id, urls),
    'list-live-models': () => session.list('/models', { stage: 'live' }),
    'classify-address': ({ url, dataset_id }) => classifier.classifyAddress(url, dataset_id),
    'classify-upload': ({ data_url, dataset_id }) =>
      classifier.classifyAddress(data_url, dataset_id),
  };
}

/**
 * Make the handlers of pairing.
 *
 * @param {Services} services What they work with.
 * @returns {Pick<Handlers, 'read-state' | 'check-server' | 'compare-versions' | 'pair' | 'unpair'>} The handlers.
 */
function pairingHandlers({ settings, session, queue }) {
  const readState = async () => publish(await settings.read());
  return {
    'read-state': readState,
    'check-server': ({ server }) => session.check(parseServer(server)),
    'compare-versions': () => session.compareVersions(),
    pair: async ({ server, code }) => {
      await session.pair(parseServer(server), code);
      // What was captured while the pairing was lost goes out now, but nobody waits for it.
      void queue.retry();
      return readState();
    },
    unpair: async () => {
      await session.unpair();
      return readState();
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
  const { settings, session, queue } = services;
  const list = async () => (await queue.list()).map(summarise);
  return {
    capture: (request) => capture(services, request),
    'undo-capture': () => undoLastCapture(session, settings),
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
async function listDatasets({ session, settings }) {
  try {
    /** @type {import('../lib/types.js').Dataset[]} */
    const datasets = await session.list('/datasets');
    await settings.update({ datasets });
    return { datasets, offline: null };
  } catch (error) {
    const isDown = error instanceof BowerbirdError && OFFLINE_KINDS.has(error.kind);
    const { datasets } = await settings.read();
    if (!isDown || datasets.length === 0) throw error;
    return { datasets, offline: error.message };
  }
}

/**
 * Ask which addresses a dataset has.
 *
 * @param {import('./session.js').Session} session The paired server.
 * @param {string} datasetId The dataset.
 * @param {string[]} urls The addresses.
 * @returns {Promise<number[]>} Indexes of those that it has.
 */
async function findKnown(session, datasetId, urls) {
  const path = `/datasets/${encodeURIComponent(datasetId)}/known`;
  /** @type {number[]} */
  const known = [];
  for (let start = 0; start < urls.length; start += KNOWN_BATCH_SIZE) {
    /** @type {{known: number[]}} */
    const reply = await session.call({
      method: 'POST',
      path,
      json: { urls: urls.slice(start, start + KNOWN_BATCH_SIZE) },
    });
    known.push(...reply.known.map((index) => index + start));
  }
  return known;
}

/**
 * Leave out what pages have no use for: the token never leaves the background.
 *
 * @param {import('../lib/types.js').Settings} settings All settings.
 * @returns {ExtensionState} What pages may see.
 */
function publish(settings) {
  const { server, pairing, is_pairing_lost, dataset_id } = settings;
  const { last_labels, query_labels, last_capture, filters, sites_off } = settings;
  return {
    server,
    pairing: pairing && { name: pairing.name, server_version: pairing.server_version },
    is_pairing_lost,
    dataset_id,
    last_labels,
    query_labels,
    last_capture,
    filters,
    sites_off,
  };
}

/**
 * Shorten a queue entry to what the popup lists.
 *
 * @param {import('../lib/types.js').QueueEntry} entry The entry.
 * @returns {QueuedCapture} Without its candidates.
 */
function summarise({ capture_key, dataset_name, body, state, attempt_count, error }) {
  const { label, candidates } = body;
  const candidate_count = candidates.length;
  return { capture_key, dataset_name, label, candidate_count, state, attempt_count, error };
}
