/**
 * The shape of what is stored, and how it gets into that shape: from an earlier revision, or from a
 * browser's storage that was damaged or written to by hand. Pure: reads and writes nothing.
 */
import { BowerbirdError } from '../lib/errors.js';
import { NO_FILTERS } from '../lib/filters.js';
import { DEFAULT_SERVER } from '../lib/server-address.js';
import { text } from '../lib/text.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */
/** @typedef {import('../lib/types.js').Filters} Filters */
/** @typedef {import('../lib/types.js').KnownServer} KnownServer */
/** @typedef {import('../lib/types.js').Pairing} Pairing */
/** @typedef {import('../lib/types.js').SentPart} SentPart */
/** @typedef {import('../lib/types.js').StoredSettings} StoredSettings */
/** @typedef {{[key: string]: unknown}} Items Whatever a storage area holds. */

/** Of the fields in `StoredSettings`. 1: one server, whose fields lay beside the others. */
export const REVISION = 2;

/** @type {Readonly<StoredSettings>} What holds where nothing is stored. */
export const DEFAULTS = Object.freeze({
  revision: REVISION,
  server: DEFAULT_SERVER,
  servers: [],
  query_labels: {},
  filters: NO_FILTERS,
  sites_off: [],
  theme: 'auto',
  is_overlay_on: true,
  is_model_asked: false,
  answers_here: 'off',
});

/** @type {Readonly<Omit<KnownServer, 'url'>>} A server of which nothing is known yet. */
export const BLANK_SERVER = Object.freeze({
  pairing: null,
  is_pairing_lost: false,
  dataset_id: null,
  last_labels: {},
  datasets: [],
});

/** Fields of the first revision that belong to a server now. */
const FORMER_KEYS = [...Object.keys(BLANK_SERVER), 'last_capture'];
/** Everything that any revision stores. */
export const STORED_KEYS = [...Object.keys(DEFAULTS), ...FORMER_KEYS];
const SHAPES = new Set(['any', 'moderate', 'landscape', 'square', 'portrait']);

/**
 * Tell which revision wrote what is stored.
 *
 * @param {Items} items What is stored; null or missing where nothing is.
 * @returns {'none' | 'former' | 'present'} `none`: nothing is stored.
 * @throws {BowerbirdError} `newer-settings`: a newer extension wrote it, whose fields this one would ruin.
 */
export function recognise(items) {
  const { revision, servers } = items;
  if (typeof revision === 'number' && revision > REVISION) {
    throw new BowerbirdError('newer-settings', text('newerSettings'));
  }
  if (revision === REVISION || Array.isArray(servers)) return 'present';
  return STORED_KEYS.some((key) => (items[key] ?? null) !== null) ? 'former' : 'none';
}

/**
 * Bring what the first revision stored into the present shape.
 *
 * @param {Items} items What is stored.
 * @returns {{settings: StoredSettings, capture: SentPart | null}} The present shape; and the capture
 *   that undo would have taken back, which is kept with the queue now.
 */
export function migrate(items) {
  const server = isOrigin(items['server']) ? items['server'] : DEFAULT_SERVER;
  const settings = repair({ ...items, server, servers: [{ ...items, url: server }] });
  return { settings, capture: adoptCapture(items['last_capture'], server) };
}

/** @returns {{[key: string]: null}} What a migration blanks: the former fields, the token among them. */
export function blankFormer() {
  return Object.fromEntries(FORMER_KEYS.map((key) => [key, null]));
}

/**
 * Make sure that every field is of its type; one that is not gets its default.
 *
 * @param {Items} items What is stored.
 * @returns {StoredSettings} Settings to work with.
 */
export function repair(items) {
  const { server, servers, query_labels, filters, sites_off, theme, is_overlay_on } = items;
  return {
    revision: REVISION,
    server: isOrigin(server) ? server : DEFAULT_SERVER,
    servers: repairServers(servers),
    query_labels: repairLabels(query_labels),
    filters: isFilters(filters) ? filters : NO_FILTERS,
    sites_off: asArray(sites_off).filter(isText),
    theme: theme === 'light' || theme === 'dark' ? theme : 'auto',
    is_overlay_on: is_overlay_on !== false,
    // Off unless a person has turned it on: it sends addresses away.
    is_model_asked: items['is_model_asked'] === true,
    answers_here: isWhen(items['answers_here']) ? items['answers_here'] : 'off',
  };
}

/**
 * Keep the servers that have an address, each once.
 *
 * @param {unknown} value What is stored.
 * @returns {KnownServer[]} The servers.
 */
function repairServers(value) {
  /** @type {Map<string, KnownServer>} */
  const servers = new Map();
  for (const each of asArray(value).filter(isRecord)) {
    const { url, pairing, is_pairing_lost, dataset_id, last_labels, datasets } = each;
    if (!isOrigin(url) || servers.has(url)) continue;
    servers.set(url, {
      url,
      pairing: isPairing(pairing) ? pairing : null,
      is_pairing_lost: is_pairing_lost === true,
      dataset_id: isText(dataset_id) ? dataset_id : null,
      last_labels: repairLabels(last_labels),
      datasets: asArray(datasets).filter(isDataset),
    });
  }
  return [...servers.values()];
}

/**
 * Keep what the first revision remembered of the last capture, for its undo.
 *
 * @param {unknown} value What is stored.
 * @param {string} server Where it was sent.
 * @returns {SentPart | null} As the queue keeps it; null when there was none.
 */
function adoptCapture(value, server) {
  if (!isRecord(value)) return null;
  const { capture_id, capture_key, dataset_id, dataset_name, label, added, known } = value;
  const texts = [capture_id, capture_key, dataset_id, dataset_name, label];
  if (!texts.every(isText) || typeof added !== 'number' || typeof known !== 'number') return null;
  const part = { ...value, server, group_key: capture_key, refused: asArray(value['refused']) };
  return /** @type {SentPart} */ (/** @type {unknown} */ (part));
}

/**
 * Keep the labels that are texts.
 *
 * @param {unknown} value What is stored.
 * @returns {Record<string, string>} Labels by what they are remembered for.
 */
function repairLabels(value) {
  const entries = isRecord(value) ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.flatMap(([key, label]) => (isText(label) ? [/** @type {const} */ ([key, label])] : [])),
  );
}

/**
 * @param {unknown} value Anything.
 * @returns {unknown[]} Itself if it is an array.
 */
function asArray(value) {
  return Array.isArray(value) ? value : [];
}

/**
 * @param {unknown} value Anything.
 * @returns {value is string} Whether it is a text.
 */
function isText(value) {
  return typeof value === 'string';
}

/**
 * @param {unknown} value Anything.
 * @returns {value is Items} Whether it has fields.
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} value Anything.
 * @returns {value is string} Whether it is scheme, host and port of a web server.
 */
function isOrigin(value) {
  if (!isText(value) || !/^https?:/.test(value) || !URL.canParse(value)) return false;
  return new URL(value).origin === value;
}

/**
 * @param {unknown} value Anything.
 * @returns {value is Pairing} Whether it is what pairing gave us.
 */
function isPairing(value) {
  return isRecord(value) && isText(value['token']) && isText(value['token_id']);
}

/**
 * @param {unknown} value Anything.
 * @returns {value is Dataset} Whether it can be captured into.
 */
function isDataset(value) {
  return isRecord(value) && isText(value['id']);
}

/**
 * @param {unknown} value Anything.
 * @returns {value is Filters} Whether they are ours.
 */
function isFilters(value) {
  if (!isRecord(value)) return false;
  return typeof value['min_side_px'] === 'number' && SHAPES.has(String(value['shape']));
}

/**
 * @param {unknown} value What is stored.
 * @returns {value is import('../lib/types.js').AnswersHere} Whether it says when kept models answer.
 */
function isWhen(value) {
  return value === 'off' || value === 'away' || value === 'always';
}
