/**
 * What the extension remembers, in `storage.local`: the servers with their pairings, and the person's
 * choices. Only the background writes, and a browser runs one of it: hence a line of changes within
 * this object is enough for none of them to undo another.
 */
import { BowerbirdError } from '../lib/errors.js';
import { text } from '../lib/text.js';
import {
  BLANK_SERVER,
  DEFAULTS,
  REVISION,
  STORED_KEYS,
  blankFormer,
  migrate,
  recognise,
  repair,
} from './revisions.js';

/** @typedef {import('../lib/types.js').KnownServer} KnownServer */
/** @typedef {import('../lib/types.js').SentPart} SentPart */
/** @typedef {import('../lib/types.js').Settings} Settings */
/** @typedef {import('../lib/types.js').StoredSettings} StoredSettings */
/** @typedef {Omit<KnownServer, 'url'>} ServerFields */
/** @typedef {Omit<StoredSettings, 'revision' | 'server' | 'servers'>} SharedFields */

/** How many queries and datasets keep their label; at 100 characters each that is 100 kB. */
const MAX_REMEMBERED = 500;
/** More than anybody pairs with; each keeps up to some 100 kB of datasets and labels. */
export const MAX_SERVERS = 20;
const SERVER_KEYS = new Set(Object.keys(BLANK_SERVER));

/**
 * @typedef {object} StorageArea The part of the browser's storage that is used; each call is whole or nothing.
 * @property {(keys: {[key: string]: unknown}) => Promise<{[key: string]: unknown}>} get Read, with defaults.
 * @property {(items: {[key: string]: unknown}) => Promise<void>} set Write.
 * @property {() => Promise<void>} clear Erase everything.
 */

/** Reads and writes the settings; holds none itself, since workers are evicted at any time. */
export class SettingsStore {
  /**
   * @param {StorageArea} area `ext.storage.local`, or a test's own.
   * @param {(part: SentPart) => Promise<void>} keepCapture Keeps the capture that the first revision
   *   stored here; may be told of the same twice.
   */
  constructor(area, keepCapture = () => Promise.resolve()) {
    this.area = area;
    this.keepCapture = keepCapture;
    /** @type {Promise<unknown>} Settled when the last change is. */
    this.last = Promise.resolve();
  }

  /**
   * Read everything.
   *
   * @returns {Promise<Settings>} All settings; what belongs to the active server lies among them.
   * @throws {BowerbirdError} `newer-settings`.
   */
  async read() {
    const stored = await this.#load();
    const active = stored.servers.find(({ url }) => url === stored.server);
    return { ...stored, ...BLANK_SERVER, ...withoutUrl(active) };
  }

  /**
   * Write some settings.
   *
   * @param {Partial<SharedFields & ServerFields>} changes Fields to replace.
   * @param {string} [server] The server that they are about: what belongs to one is written to it if
   *   it is still known. The active one when left out.
   * @throws {BowerbirdError} `newer-settings`.
   */
  async update(changes, server) {
    const own = pick(changes, (key) => SERVER_KEYS.has(key));
    const shared = pick(changes, (key) => !SERVER_KEYS.has(key));
    await this.#change(({ server: active, servers }) => ({
      ...shared,
      servers: servers.map((each) =>
        each.url === (server ?? active) ? { ...each, ...own } : each,
      ),
    }));
  }

  /**
   * Make a server the active one, with a new pairing.
   *
   * @param {string} url Its origin.
   * @param {import('../lib/types.js').Pairing} pairing What the server gave us.
   * @throws {BowerbirdError} As `checkRoom`.
   */
  async addServer(url, pairing) {
    await this.#change(({ servers }) => {
      const known = servers.find((each) => each.url === url);
      if (known === undefined) requireRoom(servers);
      const added = { ...BLANK_SERVER, ...known, url, pairing, is_pairing_lost: false };
      const kept = servers.map((each) => (each === known ? added : each));
      return { server: url, servers: known === undefined ? [...servers, added] : kept };
    });
  }

  /**
   * Make sure that a server can be added.
   *
   * @param {string} url Its origin.
   * @throws {BowerbirdError} `too-many-servers`; `newer-settings`.
   */
  async checkRoom(url) {
    const { servers } = await this.#load();
    if (!servers.some((each) => each.url === url)) requireRoom(servers);
  }

  /**
   * List where this browser's servers are.
   *
   * @returns {Promise<string[]>} Their origins, each once; at least the one to begin with.
   * @throws {BowerbirdError} `newer-settings`.
   */
  async listOrigins() {
    const { server, servers } = await this.#load();
    return [...new Set([server, ...servers.map(({ url }) => url)])];
  }

  /**
   * Make a known server the active one.
   *
   * @param {string} url Its origin.
   * @throws {BowerbirdError} `unexpected` when it is not known; `newer-settings`.
   */
  async chooseServer(url) {
    await this.#change(({ servers }) => {
      if (servers.some((each) => each.url === url)) return { server: url };
      throw new BowerbirdError('unexpected', text('serverUnknown', url));
    });
  }

  /**
   * Forget a server with all that belongs to it. When it was the active one, another one is.
   *
   * @param {string} url Its origin.
   * @throws {BowerbirdError} `newer-settings`.
   */
  async removeServer(url) {
    await this.#change(({ server, servers }) => {
      const others = servers.filter((each) => each.url !== url);
      if (server !== url) return { servers: others };
      const next = others.find(({ pairing }) => pairing !== null) ?? others[0];
      return { servers: others, server: next?.url ?? DEFAULTS.server };
    });
  }

  /**
   * Switch a search site on or off.
   *
   * @param {string} siteId Id of its adapter.
   * @param {boolean} isOn Whether its pages are read.
   * @returns {Promise<string[]>} The sites that are off from now on.
   * @throws {BowerbirdError} `newer-settings`.
   */
  async switchSite(siteId, isOn) {
    const { sites_off = [] } = await this.#change(({ sites_off: former }) => {
      const others = former.filter((each) => each !== siteId);
      return { sites_off: isOn ? others : [...others, siteId] };
    });
    return sites_off;
  }

  /**
   * Remember the choices of a capture for the next one.
   *
   * @param {string} datasetId Dataset captured into.
   * @param {string} label Label given.
   * @param {string} query Normalised query of the page; empty when there was none.
   * @param {string} [server] Whose dataset that is; the active one's when left out.
   * @throws {BowerbirdError} `newer-settings`.
   */
  async rememberChoice(datasetId, label, query, server) {
    await this.#change(({ server: active, servers, query_labels }) => ({
      query_labels: query === '' ? query_labels : withNewest(query_labels, query, label),
      servers: servers.map((each) => {
        if (each.url !== (server ?? active)) return each;
        const last_labels = withNewest(each.last_labels, datasetId, label);
        return { ...each, dataset_id: datasetId, last_labels };
      }),
    }));
  }

  /** Erase everything, whatever revision it is of. */
  async erase() {
    await this.#inLine(() => this.area.clear());
  }

  /**
   * Change what is stored, after the changes before and before those after.
   *
   * @param {(stored: StoredSettings) => Partial<StoredSettings>} makeChanges Says what to replace.
   * @returns {Promise<Partial<StoredSettings>>} What was replaced.
   */
  async #change(makeChanges) {
    return this.#inLine(async () => {
      const changes = makeChanges(await this.#loadInLine());
      await this.area.set({ ...changes, revision: REVISION });
      return changes;
    });
  }

  /** @returns {Promise<StoredSettings>} What is stored, in its present shape. */
  async #load() {
    const items = await this.#get();
    return recognise(items) === 'former' ? this.#inLine(() => this.#loadInLine()) : repair(items);
  }

  /** @returns {Promise<StoredSettings>} The same, when no other change is at work. */
  async #loadInLine() {
    const items = await this.#get();
    if (recognise(items) !== 'former') return repair(items);
    const { settings, capture } = migrate(items);
    if (capture !== null) await this.keepCapture(capture);
    // At once: whatever happens, one of the two shapes is there whole.
    await this.area.set({ ...blankFormer(), ...settings });
    return settings;
  }

  /** @returns {Promise<{[key: string]: unknown}>} Everything that is stored; null for what is not. */
  async #get() {
    return this.area.get(Object.fromEntries(STORED_KEYS.map((key) => [key, null])));
  }

  /**
   * Run a change when those before it are done.
   *
   * @template T
   * @param {() => Promise<T>} run The change.
   * @returns {Promise<T>} Its result.
   */
  #inLine(run) {
    const result = this.last.then(run);
    this.last = result.catch(() => undefined);
    return result;
  }
}

/**
 * Refuse one server more than the cap.
 *
 * @param {KnownServer[]} servers Those that are known.
 * @throws {BowerbirdError} `too-many-servers`.
 */
function requireRoom(servers) {
  if (servers.length < MAX_SERVERS) return;
  throw new BowerbirdError('too-many-servers', text('tooManyServers', MAX_SERVERS));
}

/**
 * Leave out the address.
 *
 * @param {KnownServer | undefined} server A server, if there is one.
 * @returns {Partial<ServerFields>} Its other fields.
 */
function withoutUrl(server) {
  return server === undefined ? {} : pick(server, (key) => key !== 'url');
}

/**
 * Choose some fields.
 *
 * @template {object} T
 * @param {T} fields Fields.
 * @param {(key: string) => boolean} isWanted Which.
 * @returns {Partial<T>} Those alone.
 */
function pick(fields, isWanted) {
  const entries = Object.entries(fields).filter(([key]) => isWanted(key));
  return /** @type {Partial<T>} */ (Object.fromEntries(entries));
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
