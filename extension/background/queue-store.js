/**
 * Keeps captures in IndexedDB: a thousand candidates are too much for `storage.local`. What waits
 * is kept in two stores, as its state changes often and its candidates never; what the server has
 * acknowledged stays for a while in a third, so that it can be undone.
 */
import { read, write } from './databases.js';

/** @typedef {import('../lib/types.js').CaptureBody} CaptureBody */
/** @typedef {import('../lib/types.js').QueueEntry} QueueEntry */
/** @typedef {import('../lib/types.js').SentPart} SentPart */

/**
 * @typedef {object} QueueStore Each call is one transaction: it happens whole, and then lasts, or not at all.
 * @property {(entries: QueueEntry[], bodies: CaptureBody[]) => Promise<void>} add Keep new entries.
 * @property {(entries: QueueEntry[]) => Promise<void>} put Replace entries by `capture_key`.
 * @property {() => Promise<QueueEntry[]>} list All that wait, oldest first.
 * @property {(captureKey: string) => Promise<CaptureBody>} readBody What to send for an entry.
 * @property {(captureKeys: string[]) => Promise<void>} remove Drop entries.
 * @property {(part: SentPart) => Promise<void>} settle Turn an entry into what the server made of it.
 * @property {() => Promise<SentPart[]>} listSent What was sent last, oldest capture first.
 * @property {(captureKeys: string[]) => Promise<void>} removeSent Drop what has been undone.
 */

const ENTRIES = 'captures';
const BODIES = 'bodies';
const SENT = 'sent';
/** @type {import('./databases.js').Schema} */
const SCHEMA = {
  name: 'bowerbird',
  version: 2,
  // An acknowledged capture survives a crash of the whole machine.
  durability: 'strict',
  upgrade: (database, oldVersion, upgrade) => {
    if (oldVersion < 1) database.createObjectStore(ENTRIES, { keyPath: 'capture_key' });
    database.createObjectStore(BODIES, { keyPath: 'capture_key' });
    database.createObjectStore(SENT, { keyPath: 'capture_key' });
    if (oldVersion === 1 && upgrade !== null) moveBodies(upgrade);
  },
};
/** Of those that added something, and of the others: some ten of the largest captures. */
const MAX_SENT = 50;

/**
 * The queue's store in this browser.
 *
 * @returns {QueueStore} Keeps nothing open between two calls.
 */
export function indexedDbStore() {
  return {
    add: (entries, bodies) =>
      write(SCHEMA, [ENTRIES, BODIES], ([entryStore, bodyStore]) => {
        for (const entry of entries) entryStore.put(entry);
        for (const body of bodies) bodyStore.put(body);
      }),
    put: (entries) =>
      write(SCHEMA, [ENTRIES], ([entryStore]) => {
        for (const entry of entries) entryStore.put(entry);
      }),
    // Keys are ULIDs: key order is the order of capture.
    list: () => read(SCHEMA, ENTRIES, (store) => store.getAll()),
    readBody: (captureKey) => read(SCHEMA, BODIES, (store) => store.get(captureKey)),
    remove: (captureKeys) =>
      write(SCHEMA, [ENTRIES, BODIES], (stores) => {
        for (const store of stores) for (const key of captureKeys) store.delete(key);
      }),
    settle: (part) =>
      write(SCHEMA, [ENTRIES, BODIES, SENT], ([entryStore, bodyStore, sentStore]) => {
        entryStore.delete(part.capture_key);
        bodyStore.delete(part.capture_key);
        sentStore.put(part);
        /** @type {IDBRequest<SentPart[]>} */
        const all = sentStore.getAll();
        all.onsuccess = () => {
          for (const key of findStale(all.result)) sentStore.delete(key);
        };
      }),
    listSent: () => read(SCHEMA, SENT, (store) => store.getAll()),
    removeSent: (captureKeys) =>
      write(SCHEMA, [SENT], ([sentStore]) => {
        for (const key of captureKeys) sentStore.delete(key);
      }),
  };
}

/**
 * Choose what to drop of what was sent. Captures that added nothing never displace the others: these
 * can be undone.
 *
 * @param {SentPart[]} parts What was sent, oldest first.
 * @returns {string[]} Keys of those beyond the cap.
 */
export function findStale(parts) {
  return [true, false].flatMap((isFruitful) =>
    parts
      .filter(({ added }) => added > 0 === isFruitful)
      .slice(0, -MAX_SENT)
      .map(({ capture_key }) => capture_key),
  );
}

/**
 * Bring entries of the first version, which hold what to send, into the present shape.
 *
 * @param {IDBTransaction} transaction The upgrade.
 */
function moveBodies(transaction) {
  const entryStore = transaction.objectStore(ENTRIES);
  /** @type {IDBRequest<(QueueEntry & {body: CaptureBody})[]>} */
  const all = entryStore.getAll();
  all.onsuccess = () => {
    for (const { body, ...entry } of all.result) {
      const { label, candidates } = body;
      const group_key = entry.capture_key;
      entryStore.put({ ...entry, group_key, label, candidate_count: candidates.length });
      transaction.objectStore(BODIES).put(body);
    }
  };
}
