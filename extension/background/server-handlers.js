/** What the background does for messages about servers: pairing with them, and choosing among them. */
import { parseServer } from '../lib/server-address.js';
import { findLastCapture } from './captures.js';

/** @typedef {import('../lib/messages.js').Handlers} Handlers */
/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */
/** @typedef {import('../lib/types.js').ListedServer} ListedServer */
/** @typedef {Pick<import('./handlers.js').Services, 'settings' | 'session' | 'queue'>} Services */
/** @typedef {Pick<Handlers, 'read-state' | 'check-server' | 'compare-versions' | 'pair' | 'unpair' | 'list-servers' | 'choose-server' | 'forget-server'>} ServerHandlers */

/**
 * Make the handlers of servers.
 *
 * @param {Services} services What they work with.
 * @returns {ServerHandlers} One for each message.
 */
export function makeServerHandlers(services) {
  const { settings, session, queue } = services;
  const readState = () => publish(services);
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
    unpair: async (request) => {
      await session.unpair(request?.server);
      return readState();
    },
    'list-servers': () => listServers(services),
    'choose-server': async ({ server }) => {
      await settings.chooseServer(server);
      return readState();
    },
    'forget-server': async ({ server }) => {
      await session.unpair(server);
      await settings.removeServer(server);
      return readState();
    },
  };
}

/**
 * List the known servers.
 *
 * @param {Services} services What it works with.
 * @returns {Promise<ListedServer[]>} Oldest first; none before the first pairing.
 */
async function listServers({ settings, queue }) {
  const { server: active, servers } = await settings.read();
  const entries = await queue.list();
  return servers.map(({ url, pairing, is_pairing_lost }) => ({
    url,
    is_active: url === active,
    paired_as: pairing?.name ?? null,
    is_pairing_lost,
    waiting_count: entries
      .filter(({ server }) => server === url)
      .reduce((sum, { candidate_count }) => sum + candidate_count, 0),
  }));
}

/**
 * Leave out what pages have no use for: a token never leaves the background.
 *
 * @param {Services} services What it works with.
 * @returns {Promise<ExtensionState>} What pages may see.
 */
async function publish({ settings, queue }) {
  const { server, pairing, is_pairing_lost, dataset_id, last_labels, ...others } =
    await settings.read();
  const { query_labels, filters, sites_off, theme, is_overlay_on } = others;
  const { is_model_asked, answers_here } = others;
  return {
    server,
    pairing: pairing && { name: pairing.name, server_version: pairing.server_version },
    is_pairing_lost,
    dataset_id,
    last_labels,
    query_labels,
    last_capture: await findLastCapture(queue, server),
    filters,
    sites_off,
    theme,
    is_overlay_on,
    is_model_asked,
    answers_here,
  };
}
