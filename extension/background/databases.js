/** All that the extension keeps in IndexedDB, whichever part of it does. */

/**
 * Delete it. Parts open their database for each call and make it anew when it is missing, so that
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
