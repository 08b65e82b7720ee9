/** All that the extension keeps in IndexedDB, whichever part of it does. */

/**
 * @typedef {object} Schema One database, and how it is brought to its present shape.
 * @property {string} name Its name.
 * @property {number} version Of its shape.
 * @property {IDBTransactionDurability} durability What has to outlive a crash of the machine is
 *   `strict`.
 * @property {(database: IDBDatabase, oldVersion: number, upgrade: IDBTransaction | null) => void} upgrade
 *   Makes what it lacks; the old version is 0 where there was none.
 */

/**
 * Run a transaction to its end. Opens the database for each, so that an evicted worker leaves
 * nothing open.
 *
 * @template T
 * @param {Schema} schema The database.
 * @param {readonly string[]} names Names of the stores.
 * @param {IDBTransactionMode} mode Whether it writes.
 * @param {(stores: IDBObjectStore[]) => IDBRequest<T> | null} run Makes the requests; returns the one that answers.
 * @returns {Promise<T>} That request's result.
 * @throws {DOMException} Such as `QuotaExceededError`; then nothing has changed.
 */
export async function transact(schema, names, mode, run) {
  const database = await open(schema);
  try {
    return await new Promise((/** @type {(result: T) => void} */ resolve, reject) => {
      const { durability } = schema;
      const transaction = database.transaction(names, mode, { durability });
      const request = run(names.map((name) => transaction.objectStore(name)));
      transaction.oncomplete = () => resolve(/** @type {T} */ (request?.result));
      transaction.onabort = () => reject(transaction.error ?? new Error('The transaction ended.'));
    });
  } finally {
    database.close();
  }
}

/**
 * Make requests that write, in one transaction, and wait until it has ended.
 *
 * @template {string[]} Names
 * @param {Schema} schema The database.
 * @param {readonly [...Names]} names Names of the stores.
 * @param {(stores: {[Index in keyof Names]: IDBObjectStore}) => void} run Makes the requests.
 */
export async function write(schema, names, run) {
  await transact(schema, names, 'readwrite', (stores) => {
    run(/** @type {{[Index in keyof Names]: IDBObjectStore}} */ (stores));
    return null;
  });
}

/**
 * Run one request that reads.
 *
 * @template T
 * @param {Schema} schema The database.
 * @param {string} name Name of the store.
 * @param {(store: IDBObjectStore) => IDBRequest<T>} run Makes the request.
 * @returns {Promise<T>} Its result.
 */
export async function read(schema, name, run) {
  return transact(schema, [name], 'readonly', ([store]) =>
    run(/** @type {IDBObjectStore} */ (store)),
  );
}

/**
 * Open a database.
 *
 * @param {Schema} schema Which.
 * @returns {Promise<IDBDatabase>} The database, made or brought to the present version.
 */
function open({ name, version, upgrade }) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = ({ oldVersion }) => {
      upgrade(request.result, oldVersion, request.transaction);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The database did not open.'));
  });
}

/**
 * Delete it all. Parts open their database for each call and make it anew when it is missing, so that
 * nothing holds this up for long, and nothing is broken by it.
 *
 * @param {Pick<IDBFactory, 'databases' | 'deleteDatabase'>} factory The browser's own.
 */
export async function deleteDatabases(factory) {
  for (const { name } of await factory.databases()) {
    if (name !== undefined) await deleteDatabase(factory, name);
  }
}

/**
 * Delete one of them.
 *
 * @param {Pick<IDBFactory, 'deleteDatabase'>} factory The browser's own.
 * @param {string} name Its name.
 * @returns {Promise<void>} Settled when it is gone.
 */
function deleteDatabase(factory, name) {
  return new Promise((resolve, reject) => {
    const request = factory.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error ?? new Error('The database was not deleted.'));
  });
}
