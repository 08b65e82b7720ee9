/** One run of scrolling and capturing: how it begins, what others see of it, when it is left over. */
import { ulid } from '../lib/ulid.js';

/** @typedef {import('../lib/scroll.js').ScrollEnd} ScrollEnd */
/** @typedef {import('../lib/scroll.js').ScrollRequest} ScrollRequest */
/** @typedef {import('../lib/scroll.js').ScrollRun} ScrollRun */
/** @typedef {import('../lib/scroll.js').ScrollState} ScrollState */

/** More than the most that the page's side waits unseen before it ends by itself. */
const MAX_SILENCE_MS = 20 * 60_000;
/** What may be asked for: more than the largest choice of the popup is a mistake. */
const MAX_GOAL = 2000;

/**
 * Make a run.
 *
 * @param {object} parts What it is made of.
 * @param {ScrollRequest} parts.request What the person asks for.
 * @param {import('../lib/types.js').PageOrigin} parts.origin The page as it is now.
 * @param {Pick<import('../lib/types.js').Settings, 'server' | 'filters'>} parts.settings The choices
 *   that hold for it, whatever is chosen later.
 * @param {number} parts.nowMs Milliseconds since 1970.
 * @returns {ScrollRun} The run; nothing is found yet.
 */
export function makeRun({ request, origin, settings, nowMs }) {
  const { tab_id, goal_count, dataset, label } = request;
  return {
    run_id: ulid(nowMs),
    tab_id,
    phase: 'running',
    goal_count: Math.max(1, Math.min(MAX_GOAL, Math.trunc(goal_count) || 1)),
    count: 0,
    dataset_id: dataset.id,
    dataset_name: dataset.name,
    label,
    origin,
    server: settings.server,
    filters: settings.filters,
    end: null,
    outcome: null,
    error: null,
    found_count: 0,
    left_out: [],
    seed: null,
    heard_at_ms: nowMs,
  };
}

/**
 * Shorten a run to what pages see of it.
 *
 * @param {ScrollRun} run The run.
 * @returns {ScrollState} What the popup and the panel show.
 */
export function publish(run) {
  const { run_id, phase, goal_count, count, dataset_name, label, end, outcome, error } = run;
  return { run_id, phase, goal_count, count, dataset_name, label, end, outcome, error };
}

/**
 * Tell whether something is still to be done for a run.
 *
 * @param {ScrollRun} run The run.
 * @returns {boolean} False when it has ended.
 */
export function isOpen({ phase }) {
  return phase !== 'ended';
}

/**
 * Tell whether a run takes more.
 *
 * @param {ScrollRun} run The run.
 * @returns {boolean} False from the moment on in which its capture is made.
 */
export function isGoing({ phase }) {
  return phase === 'running' || phase === 'hidden';
}

/**
 * Tell whether a run waits for somebody to finish it.
 *
 * @param {ScrollRun} run The run.
 * @param {object} now How things are.
 * @param {boolean} now.isNewSession Whether the browser has started since.
 * @param {boolean} now.isHeard Whether its page is connected with this worker.
 * @param {number} now.nowMs Milliseconds since 1970.
 * @returns {ScrollEnd | null} Why it is to end; null when it is over, or still goes on.
 */
export function findLeftover(run, { isNewSession, isHeard, nowMs }) {
  if (!isOpen(run)) return null;
  if (run.phase === 'capturing' || isNewSession) return run.end ?? 'page-left';
  return !isHeard && nowMs - run.heard_at_ms > MAX_SILENCE_MS ? 'page-left' : null;
}
