/**
 * Keeps runs and what they found in IndexedDB, so that neither an evicted worker nor a closed tab or
 * browser loses any of it before it is captured.
 */
import { read, write } from './databases.js';

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

const RUNS = 'runs';
const PIECES = 'pieces';
/** @type {import('./databases.js').Schema} */
const SCHEMA = {
  name: 'bowerbird-scroll',
  version: 1,
  // Found again by scrolling, it need not outlive a crash of the machine.
  durability: 'relaxed',
  upgrade: (database) => {
    // Run ids are ULIDs: key order is the order of starting.
    database.createObjectStore(RUNS, { keyPath: 'run_id' });
    database.createObjectStore(PIECES, { keyPath: ['run_id', 'start'] });
  },
};
/** @type {[string, string]} */
const BOTH = [RUNS, PIECES];

/**
 * The store in this browser.
 *
 * @returns {ScrollStore} Keeps nothing open between two calls.
 */
export function indexedDbScrollStore() {
  return {
    list: () => read(SCHEMA, RUNS, (runs) => runs.getAll()),
    put: (run) => write(SCHEMA, [RUNS], ([runs]) => void runs.put(run)),
    add: (run, fresh) =>
      write(SCHEMA, BOTH, ([runs, pieces]) => {
        runs.put(run);
        if (fresh.length === 0) return;
        const start = run.found_count - fresh.length;
        pieces.put({ run_id: run.run_id, start, candidates: fresh });
      }),
    read: async (runId) => {
      /** @type {Piece[]} */
      const found = await read(SCHEMA, PIECES, (pieces) => pieces.getAll(piecesOf(runId)));
      return found.flatMap(({ candidates }) => candidates);
    },
    settle: (run) =>
      write(SCHEMA, BOTH, ([runs, pieces]) => {
        runs.put(run);
        pieces.delete(piecesOf(run.run_id));
      }),
    remove: (runIds) =>
      write(SCHEMA, BOTH, ([runs, pieces]) => {
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
