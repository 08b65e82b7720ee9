/** What the extension remembers, in `storage.local`: the pairing and the person's choices. */
import { NO_FILTERS } from '../lib/filters.js';
import { DEFAULT_SERVER } from '../lib/server-address.js';

/** @typedef {import('../lib/types.js').Settings} Settings */

/** @type {Settings} */
const DEFAULTS = {
  revision: 1,
  server: DEFAULT_SERVER,
  pairing: null,
  is_pairing_lost: false,
  dataset_id: null,
  last_labels: {},
  query_labels: {},
  last_capture: null,
  filters: NO_FILTERS,
  datasets: [],
  sites_off: [],
};

/** How many queries and datasets keep their label; at 100 characters each that is 100 kB. */
const MAX_REMEMBERED = 500;

/**
 * @typedef {object} StorageArea The part of the browser's storage that is used.
 * @property {(keys: {[key: string]: unknown}) => Promise<{[key: string]: unknown}>} get Read, with defaults.
 * @property {(items: {[key: string]: unknown}) => Promise<void>} set Write.
 */

/** Reads and writes the settings; holds nothing itself, since workers are evicted at any time. */
export class SettingsStore {
  /** @param {StorageArea} area `ext.storage.local`, or a test's own. */
  constructor(area) {
    this.area = area;
  }

  /** @returns {Promise<Settings>} All settings, defaults filled in. */
  async read() {
    return /** @type {Settings} */ (/** @type {unknown} */ (await this.area.get({ ...DEFAULTS })));
  }

  /**
   * Write some settings.
   *
   * @param {Partial<Settings>} changes Fields to replace.
   */
  async update(changes) {
    await this.area.set({ revision: DEFAULTS.revision, ...changes });
  }

  /**
   * Remember the choices of a capture for the next one.
   *
   * @param {string} datasetId Dataset captured into.
   * @param {string} label Label given.
   * @param {string} query Normalised query of the page; empty when there was none.
   */
  async rememberChoice(datasetId, label, query) {
    const { last_labels, query_labels } = await this.read();
    await this.update({
      dataset_id: datasetId,
      last_labels: withNewest(last_labels, datasetId, label),
      query_labels: query === '' ? query_labels : withNewest(query_labels, query, label),
    });
  }
}

/**
 * Add an entry as the newest and drop the oldest beyond the cap.
 *
 * @param {Record<string, string>} entries Entries, oldest first.
 * @param {string} key Key to set.
 * @param {string} value Its value.
 * @returns {Record<string, string>} A new record.
 */
function withNewest(entries, key, value) {
  const others = Object.entries(entries).filter(([each]) => each !== key);
  return Object.fromEntries(
    [...others, /** @type {const} */ ([key, value])].slice(-MAX_REMEMBERED),
  );
}
