/** Keeps queued captures in IndexedDB: a thousand candidates are too much for `storage.local`. */

/** @typedef {import('../lib/types.js').QueueEntry} QueueEntry */

/**
 * @typedef {object} QueueStore
 * @property {(entry: QueueEntry) => Promise<void>} put Add or replace by `capture_key`.
 * @property {() => Promise<QueueEntry[]>} list All entries, oldest first.
 * @property {(captureKey: string) => Promise<void>} remove Drop one.
 */

const DATABASE = 'bowerbird';
const VERSION = 1;
const STORE = 'captures';

/**
 * The queue's store in this browser.
 *
 * @returns {QueueStore} Opens the database for each call, so that an evicted worker leaves nothing open.
 */
export function indexedDbStore() {
  return {
    put: async (entry) => {
      await transact('readwrite', (store) => store.put(entry));
    },
    // Keys are ULIDs: key order is the order of capture.
    list: async () => {
      const entries = await transact('readonly', (store) => store.getAll());
      return /** @type {QueueEntry[]} */ (entries);
    },
    remove: async (captureKey) => {
      await transact('readwrite', (store) => store.delete(captureKey));
    },
  };
}

/**
 * Run one request in a transaction of its own and wait until it is on disk.
 *
 * @param {IDBTransactionMode} mode Whether the request writes.
 * @param {(store: IDBObjectStore) => IDBRequest} run Makes the request.
 * @returns {Promise<unknown>} The request's result.
 */
async function transact(mode, run) {
  const database = await open();
  try {
    return await new Promise((/** @type {(result: unknown) => void} */ resolve, reject) => {
      // Strict: an acknowledged capture survives a crash of the whole machine.
      const transaction = database.transaction(STORE, mode, { durability: 'strict' });
      const request = run(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('The transaction ended.'));
    });
  } finally {
    database.close();
  }
}

/** @returns {Promise<IDBDatabase>} The database, made if new. */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: 'capture_key' });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The database did not open.'));
  });
}
