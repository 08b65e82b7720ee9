/**
 * Keeps runs and what they found in IndexedDB, so that neither an evicted worker nor a closed tab or
 * browser loses any of it before it is captured.
 */

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('../lib/scroll.js').ScrollRun} ScrollRun */
/** @typedef {{run_id: string, start: number, candidates: Candidate[]}} Piece */

/**
 * @typedef {object} ScrollStore Each call is one transaction.
 * @property {() => Promise<ScrollRun[]>} list All runs, oldest first.
 * @property {(run: ScrollRun) => Promise<void>} put Keep a run.
 * @property {(run: ScrollRun, fresh: Candidate[]) => Promise<void>} add Keep a run, and what was found
 *   since: as many as `run.found_count` says that there are now more.
 * @property {(runId: string) => Promise<Candidate[]>} read What a run found, in the order of finding.
 * @property {(run: ScrollRun) => Promise<void>} settle Keep a run, and drop what it found.
 * @property {(runIds: string[]) => Promise<void>} remove Forget runs.
 */

const DATABASE = 'bowerbird-scroll';
const VERSION = 1;
const RUNS = 'runs';
const PIECES = 'pieces';

/**
 * The store in this browser.
 *
 * @returns {ScrollStore} Opens the database for each call, so that an evicted worker leaves nothing open.
 */
export function indexedDbScrollStore() {
  return {
    list: () => transact('readonly', ({ runs }) => runs.getAll()),
    put: (run) => write(({ runs }) => runs.put(run)),
    add: (run, fresh) =>
      write(({ runs, pieces }) => {
        runs.put(run);
        if (fresh.length === 0) return;
        const start = run.found_count - fresh.length;
        pieces.put({ run_id: run.run_id, start, candidates: fresh });
      }),
    read: async (runId) => {
      /** @type {Piece[]} */
      const found = await transact('readonly', ({ pieces }) => pieces.getAll(piecesOf(runId)));
      return found.flatMap(({ candidates }) => candidates);
    },
    settle: (run) =>
      write(({ runs, pieces }) => {
        runs.put(run);
        pieces.delete(piecesOf(run.run_id));
      }),
    remove: (runIds) =>
      write(({ runs, pieces }) => {
        for (const runId of runIds) {
          runs.delete(runId);
          pieces.delete(piecesOf(runId));
        }
      }),
  };
}

/**
 * Name the keys of what a run found.
 *
 * @param {string} runId Which run.
 * @returns {IDBKeyRange} Its pieces, in the order of finding.
 */
function piecesOf(runId) {
  return IDBKeyRange.bound([runId, 0], [runId, Infinity]);
}

/** @typedef {{runs: IDBObjectStore, pieces: IDBObjectStore}} Stores */

/**
 * Write, and wait until it is on disk.
 *
 * @param {(stores: Stores) => void} run Makes the requests.
 */
async function write(run) {
  await transact('readwrite', (stores) => {
    run(stores);
    return null;
  });
}

/**
 * Run a transaction to its end.
 *
 * @template T
 * @param {IDBTransactionMode} mode Whether it writes.
 * @param {(stores: Stores) => IDBRequest<T> | null} run Makes the requests; returns the one that answers.
 * @returns {Promise<T>} That request's result.
 * @throws {DOMException} Such as `QuotaExceededError`; then nothing has changed.
 */
async function transact(mode, run) {
  const database = await open();
  try {
    return await new Promise((/** @type {(result: T) => void} */ resolve, reject) => {
      // Relaxed: found again by scrolling, it need not outlive a crash of the machine.
      const transaction = database.transaction([RUNS, PIECES], mode, { durability: 'relaxed' });
      const runs = transaction.objectStore(RUNS);
      const request = run({ runs, pieces: transaction.objectStore(PIECES) });
      transaction.oncomplete = () => resolve(/** @type {T} */ (request?.result));
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
      // Run ids are ULIDs: key order is the order of starting.
      request.result.createObjectStore(RUNS, { keyPath: 'run_id' });
      request.result.createObjectStore(PIECES, { keyPath: ['run_id', 'start'] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The database did not open.'));
  });
}
