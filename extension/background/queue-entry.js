/** What the queue knows of each capture beside its candidates, and how long it waits after a failure. */
import { ServerProblem, messageOf } from '../lib/errors.js';

/** @typedef {import('../lib/types.js').CaptureBody} CaptureBody */
/** @typedef {import('../lib/types.js').QueueEntry} QueueEntry */

/** Alarms fire no earlier than this in any browser. */
export const FIRST_DELAY_MS = 30_000;
const MAX_DELAY_MS = 30 * 60_000;
/** Refusals that pass by themselves: pairing, timeout, too early, too many requests. */
const PASSING_STATUS = new Set([401, 408, 425, 429]);

/**
 * Make the entries of a new capture, due at once.
 *
 * @param {Pick<QueueEntry, 'server' | 'dataset_id' | 'dataset_name'>} target Where it goes.
 * @param {CaptureBody[]} bodies Its parts.
 * @param {number} nowMs Milliseconds since 1970.
 * @returns {QueueEntry[]} One for each part.
 */
export function makeEntries(target, bodies, nowMs) {
  return bodies.map(({ capture_key, label, candidates }) => ({
    ...target,
    capture_key,
    group_key: bodies[0]?.capture_key ?? capture_key,
    label,
    candidate_count: candidates.length,
    state: 'queued',
    attempt_count: 0,
    next_attempt_at_ms: nowMs,
    error: null,
  }));
}

/**
 * Count candidates.
 *
 * @param {QueueEntry[]} entries Entries.
 * @returns {number} How many candidates they hold together.
 */
export function sumCandidates(entries) {
  return entries.reduce((sum, { candidate_count }) => sum + candidate_count, 0);
}

/**
 * Say what an entry is after an attempt that failed.
 *
 * @param {QueueEntry} entry What was sent.
 * @param {unknown} error What happened.
 * @param {number} nowMs Milliseconds since 1970.
 * @returns {QueueEntry} The entry to keep.
 */
export function afterFailure(entry, error, nowMs) {
  const attempt_count = entry.attempt_count + 1;
  return {
    ...entry,
    attempt_count,
    state: isLasting(error) ? 'refused' : 'queued',
    next_attempt_at_ms: nowMs + delayAfter(attempt_count),
    error: messageOf(error),
  };
}

/**
 * Tell a refusal that will be repeated from one that passes.
 *
 * @param {unknown} error What happened.
 * @returns {boolean} True when sending the same again is useless.
 */
export function isLasting(error) {
  return error instanceof ServerProblem && error.status < 500 && !PASSING_STATUS.has(error.status);
}

/**
 * Wait longer after each failure.
 *
 * @param {number} attemptCount Failures so far, at least 1.
 * @returns {number} Milliseconds until the next attempt.
 */
export function delayAfter(attemptCount) {
  return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attemptCount - 1));
}
