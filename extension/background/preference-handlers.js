/** What the background does for messages about the person's preferences, and about all that is stored. */
import { BowerbirdError } from '../lib/errors.js';

/** @typedef {import('../lib/messages.js').Handlers} Handlers */
/** @typedef {import('../lib/types.js').Export} Export */
/** @typedef {Pick<import('./handlers.js').Services, 'settings' | 'session' | 'queue' | 'onSitesSwitched' | 'dropPermissions' | 'eraseStores'>} Services */
/** @typedef {Pick<Handlers, 'set-theme' | 'set-filters' | 'switch-site' | 'switch-overlay' | 'switch-opinions' | 'export-data' | 'read-capture' | 'erase-data'>} PreferenceHandlers */

/**
 * Make the handlers of preferences.
 *
 * @param {Services} services What they work with.
 * @returns {PreferenceHandlers} One for each message.
 */
export function makePreferenceHandlers(services) {
  const { settings, onSitesSwitched } = services;
  return {
    'set-theme': async ({ theme }) => {
      await settings.update({ theme });
      return null;
    },
    'set-filters': async ({ filters }) => {
      await settings.update({ filters });
      return null;
    },
    'switch-site': async ({ site, is_on }) => {
      const sitesOff = await settings.switchSite(site, is_on);
      await onSitesSwitched();
      return sitesOff;
    },
    'switch-overlay': async ({ is_on }) => {
      await settings.update({ is_overlay_on: is_on });
      return null;
    },
    'switch-opinions': async ({ is_on }) => {
      await settings.update({ is_model_asked: is_on });
      return null;
    },
    'export-data': () => exportData(services),
    'read-capture': ({ capture_key }) => services.queue.readBody(capture_key),
    'erase-data': async () => {
      await eraseData(services);
      return null;
    },
  };
}

/**
 * Gather all that is stored but the tokens, which would let whoever reads the file into the servers.
 *
 * @param {Services} services What it works with.
 * @returns {Promise<Export>} Everything; what a capture holds is asked for apart.
 */
async function exportData({ settings, queue }) {
  const { revision, server, servers, ...others } = await settings.read();
  const { query_labels, filters, sites_off, theme, is_overlay_on } = others;
  const { is_model_asked, answers_here } = others;
  const withoutTokens = servers.map(({ pairing, ...server }) => ({
    ...server,
    pairing: pairing && { name: pairing.name, server_version: pairing.server_version },
  }));
  const switches = { is_overlay_on, is_model_asked, answers_here };
  const shared = { query_labels, filters, sites_off, theme, ...switches };
  return {
    settings: { revision, server, servers: withoutTokens, ...shared },
    waiting: await queue.list(),
    sent: await queue.listSent(),
  };
}

/**
 * Erase all that is stored, as if the extension had just been installed. Servers that can be reached
 * forget this browser's tokens; what they hold stays.
 *
 * @param {Services} services What it works with.
 */
async function eraseData(services) {
  const { settings, session, queue } = services;
  // First: what is being sent is through then, and no alarm is left.
  await queue.forget(null);
  const urls = await listPaired(settings);
  // At once: one that is down is waited for, and there may be twenty.
  await Promise.all(urls.map((url) => session.unpair(url)));
  await settings.erase();
  await services.eraseStores();
  await services.onSitesSwitched();
  await services.dropPermissions();
}

/**
 * List the servers that hold a token of this browser.
 *
 * @param {import('./settings.js').SettingsStore} settings Knows them.
 * @returns {Promise<string[]>} Their origins; none when a newer extension stored them in its own way.
 */
async function listPaired(settings) {
  try {
    const { servers } = await settings.read();
    return servers.filter(({ pairing }) => pairing !== null).map(({ url }) => url);
  } catch (error) {
    if (error instanceof BowerbirdError && error.kind === 'newer-settings') return [];
    throw error;
  }
}
