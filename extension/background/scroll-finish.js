/** Captures what a run has found; after any failure, once more and not twice. */
import { messageOf } from '../lib/errors.js';
import { ulid } from '../lib/ulid.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('../lib/types.js').CaptureOutcome} CaptureOutcome */
/** @typedef {import('../lib/scroll.js').ScrollEnd} ScrollEnd */
/** @typedef {import('../lib/scroll.js').ScrollRun} ScrollRun */
/**
 * Makes a capture on a server; with the same seed, the same one.
 *
 * @typedef {(request: import('../lib/messages.js').Request<'capture'>, fixed: {seed: string,
 *   server: string}) => Promise<CaptureOutcome>} MakeCapture
 */

/**
 * Capture what a run has found.
 *
 * @param {object} parts What it works with.
 * @param {import('./scroll-store.js').ScrollStore} parts.store Keeps runs.
 * @param {MakeCapture} parts.capture Makes a capture.
 * @param {() => number} parts.now Milliseconds since 1970.
 * @param {string} runId Which run.
 * @param {ScrollEnd} end Why it ends; an earlier reason stays.
 * @returns {Promise<ScrollRun | null>} The run, ended, or with the error that keeps it from that; null
 *   when it is forgotten.
 */
export async function finishRun({ store, capture, now }, runId, end) {
  const found = (await store.list()).find(({ run_id }) => run_id === runId);
  if (found === undefined || found.phase === 'ended') return found ?? null;
  const seed = found.seed ?? ulid(now());
  /** @type {ScrollRun} */
  const run = { ...found, phase: 'capturing', end: found.end ?? end, seed, heard_at_ms: now() };
  await store.put(run);
  try {
    const candidates = chooseCandidates(run, await store.read(runId));
    const outcome = await makeCapture(capture, { ...run, seed }, candidates);
    /** @type {ScrollRun} */
    const ended = { ...run, phase: 'ended', count: candidates.length, outcome, error: null };
    await store.settle(ended);
    return ended;
  } catch (error) {
    // Such as of a full disk. What was found is kept, and tried again from time to time.
    const failed = { ...run, error: messageOf(error) };
    await store.put(failed);
    return failed;
  }
}

/**
 * Choose what is captured of what a run has found.
 *
 * @param {ScrollRun} run The run.
 * @param {Candidate[]} found What it found.
 * @returns {Candidate[]} All but what the person left out, up to the goal.
 */
function chooseCandidates({ left_out, goal_count }, found) {
  const leftOut = new Set(left_out);
  return found.filter(({ url }) => !leftOut.has(url)).slice(0, goal_count);
}

/**
 * Make the capture of a run.
 *
 * @param {MakeCapture} capture Makes it.
 * @param {ScrollRun & {seed: string}} run The run.
 * @param {Candidate[]} candidates What it found.
 * @returns {Promise<CaptureOutcome | null>} What came of it; null when nothing was found.
 */
async function makeCapture(capture, run, candidates) {
  if (candidates.length === 0) return null;
  const { dataset_id, dataset_name, label, origin, server, seed } = run;
  const dataset = { id: dataset_id, name: dataset_name };
  return capture({ dataset, label, origin, candidates }, { server, seed });
}
