/** Makes captures out of what the person chose, and takes them back. */
import { BowerbirdError, ServerProblem, messageOf } from '../lib/errors.js';
import { normaliseQuery } from '../lib/label.js';
import { text } from '../lib/text.js';
import { ulid, ulidSeries } from '../lib/ulid.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('../lib/types.js').CaptureBody} CaptureBody */
/** @typedef {import('../lib/types.js').CaptureReply} CaptureReply */
/** @typedef {import('../lib/types.js').CaptureOutcome} CaptureOutcome */
/** @typedef {import('../lib/types.js').QueueEntry} QueueEntry */
/** @typedef {import('../lib/types.js').QueuedCapture} QueuedCapture */
/** @typedef {import('../lib/types.js').SentCapture} SentCapture */
/** @typedef {import('../lib/types.js').SentPart} SentPart */

/** The server takes this many candidates in one body … */
const MAX_PART_CANDIDATES = 1000;
/** … and 4 MiB, of which the rest is for the page's own address and title. */
const MAX_PART_BYTES = 3 * 1024 ** 2;

/**
 * Store a capture, try to send it, and say what became of it.
 *
 * @param {object} parts What it works with.
 * @param {import('./settings.js').SettingsStore} parts.settings Remembers the choices.
 * @param {import('./queue.js').CaptureQueue} parts.queue Sends it.
 * @param {string} parts.client Name of this build for the server.
 * @param {import('../lib/messages.js').Request<'capture'>} request What the person chose.
 * @param {object} [fixed] What a capture that is made anew after a failure has from the first attempt.
 * @param {string} [fixed.seed] A ULID: the same one twice adds nothing twice.
 * @param {string} [fixed.server] The server that the dataset is on; the active one when left out.
 * @returns {Promise<CaptureOutcome>} Sent, or why not yet.
 * @throws {BowerbirdError} `not-kept`: nothing is captured.
 */
export async function capture(
  { settings, queue, client },
  { dataset, label, origin, candidates },
  fixed = {},
) {
  const { seed = ulid(), server = (await settings.read()).server } = fixed;
  const pieces = splitCandidates(candidates);
  const captured_at = new Date().toISOString();
  const bodies = ulidSeries(seed, pieces.length).map((capture_key, index) => ({
    capture_key,
    label,
    ...origin,
    captured_at,
    client,
    candidates: pieces[index] ?? [],
  }));
  await queue.add({ server, dataset_id: dataset.id, dataset_name: dataset.name }, bodies);
  try {
    await settings.rememberChoice(dataset.id, label, normaliseQuery(origin.query), server);
  } catch {
    // Such as of a full storage: the next capture proposes less, but this one is kept.
  }
  return sendKept(queue, bodies[0]?.capture_key ?? '', server);
}

/**
 * Send a capture that is stored. It stays so whatever fails here: told of an error, the person would
 * capture the same once more.
 *
 * @param {import('./queue.js').CaptureQueue} queue Holds it.
 * @param {string} groupKey Which capture.
 * @param {string} server Where it goes.
 * @returns {Promise<CaptureOutcome>} Sent, or why not yet.
 * @throws {BowerbirdError} `unexpected`: somebody has dropped it meanwhile.
 */
async function sendKept(queue, groupKey, server) {
  try {
    // What waited from before too: the person is at work, so the server may well be up again.
    await queue.sendQueued();
    return await findOutcome(queue, groupKey, server);
  } catch (error) {
    if (error instanceof BowerbirdError) throw error;
    return { state: 'queued', error: messageOf(error) };
  }
}

/**
 * Split what no single body may hold.
 *
 * @param {Candidate[]} candidates All that is captured.
 * @returns {Candidate[][]} The same in the same order, in as few parts as can be; at least one.
 */
export function splitCandidates(candidates) {
  const encoder = new TextEncoder();
  /** @type {Candidate[]} */
  let part = [];
  const parts = [part];
  let partBytes = 0;
  for (const candidate of candidates) {
    const bytes = encoder.encode(JSON.stringify(candidate)).length + 1;
    if (part.length === MAX_PART_CANDIDATES || partBytes + bytes > MAX_PART_BYTES) {
      part = [];
      parts.push(part);
      partBytes = 0;
    }
    part.push(candidate);
    partBytes += bytes;
  }
  return parts;
}

/**
 * Find out whether a capture was sent.
 *
 * @param {import('./queue.js').CaptureQueue} queue Holds what was sent and what waits.
 * @param {string} groupKey Which capture.
 * @param {string} server Where it goes.
 * @returns {Promise<CaptureOutcome>} What became of it.
 */
async function findOutcome(queue, groupKey, server) {
  const entries = (await queue.list()).filter((entry) => entry.server === server);
  const waiting = entries.filter(({ group_key }) => group_key === groupKey);
  if (waiting.length > 0) {
    // It may wait behind others, which then know why.
    const error = [...waiting, ...entries].find((entry) => entry.error !== null)?.error;
    const state = waiting.some((entry) => entry.state === 'refused') ? 'refused' : 'queued';
    return { state, error: error ?? text('captureWaits') };
  }
  const sent = partsOf(await queue.listSent(), groupKey);
  if (sent.length === 0) throw new BowerbirdError('unexpected', text('captureGone'));
  return { state: 'sent', capture: sumUp(sent) };
}

/**
 * Send one part of a capture to the server that it was made for.
 *
 * @param {import('./session.js').Session} session The paired servers.
 * @param {QueueEntry} entry What to send, and where.
 * @param {CaptureBody} body The same in the server's words.
 * @returns {Promise<CaptureReply>} The server's answer.
 * @throws {BowerbirdError} As `Session.call`.
 */
export async function sendCapture(session, entry, body) {
  const path = `/datasets/${encodeURIComponent(entry.dataset_id)}/captures`;
  return session.call({ method: 'POST', path, json: body }, entry.server);
}

/**
 * Find the capture that undo takes back: the last one that added something.
 *
 * @param {import('./queue.js').CaptureQueue} queue Holds what was sent.
 * @param {string} server The server that is asked.
 * @returns {Promise<SentCapture | null>} The capture; null when there is none.
 */
export async function findLastCapture(queue, server) {
  const parts = (await queue.listSent()).filter((part) => part.server === server);
  const last = parts.findLast(({ added }) => added > 0);
  return last === undefined ? null : sumUp(partsOf(parts, last.group_key));
}

/**
 * Take a capture back; of one that is sent in part, the rest is dropped.
 *
 * @param {object} parts What it works with.
 * @param {import('./session.js').Session} parts.session The paired servers.
 * @param {import('./queue.js').CaptureQueue} parts.queue Holds what was sent and what waits.
 * @param {string} captureKey Which capture: the last may be another than the person was shown.
 * @returns {Promise<SentCapture>} What was taken back.
 * @throws {BowerbirdError} As `Session.call`; `unexpected` when there is nothing to take back. When it
 *   fails halfway, undoing again takes the rest back.
 */
export async function undoCapture({ session, queue }, captureKey) {
  const findSent = async () => partsOf(await queue.listSent(), captureKey);
  if ((await findSent()).length === 0) {
    throw new BowerbirdError('unexpected', text('nothingToUndo'));
  }
  await queue.withdraw(captureKey);
  const sent = await findSent();
  for (const part of sent) {
    await deleteCapture(session, part);
    await queue.forgetSent(part.capture_key);
  }
  return sumUp(sent);
}

/**
 * Delete a capture on the server, unless it is gone already, for example undone on the server's page.
 *
 * @param {import('./session.js').Session} session The paired servers.
 * @param {SentPart} part What to delete, and where.
 * @throws {BowerbirdError} As `Session.call`.
 */
async function deleteCapture(session, { capture_id, server }) {
  const path = `/captures/${encodeURIComponent(capture_id)}`;
  try {
    await session.call({ method: 'DELETE', path }, server);
  } catch (error) {
    if (!(error instanceof ServerProblem) || error.status !== 404) throw error;
  }
}

/**
 * Choose the parts of a capture.
 *
 * @template {{group_key: string}} T
 * @param {T[]} parts Parts of several.
 * @param {string} groupKey Which capture.
 * @returns {T[]} Its parts, in their order.
 */
function partsOf(parts, groupKey) {
  return parts.filter(({ group_key }) => group_key === groupKey);
}

/**
 * Sum up what the server made of a capture's parts.
 *
 * @param {SentPart[]} parts Its parts; at least one.
 * @returns {SentCapture} The capture.
 */
function sumUp(parts) {
  const [first] = parts;
  if (first === undefined) throw new RangeError('a capture has at least one part');
  const { group_key, server, dataset_id, dataset_name, label } = first;
  return {
    capture_key: group_key,
    server,
    dataset_id,
    dataset_name,
    label,
    added: parts.reduce((sum, part) => sum + part.added, 0),
    known: parts.reduce((sum, part) => sum + part.known, 0),
    refused: parts.flatMap((part) => part.refused),
  };
}

/**
 * Shorten the queue to what the popup lists: a line for each capture.
 *
 * @param {QueueEntry[]} entries The queue.
 * @returns {QueuedCapture[]} Captures, oldest first, without their candidates.
 */
export function summariseQueue(entries) {
  return [...new Set(entries.map(({ group_key }) => group_key))].map((groupKey) => {
    const parts = partsOf(entries, groupKey);
    const told = parts.find(({ error }) => error !== null) ?? parts[0];
    return {
      capture_key: groupKey,
      dataset_name: told?.dataset_name ?? '',
      label: told?.label ?? '',
      candidate_count: parts.reduce((sum, part) => sum + part.candidate_count, 0),
      state: parts.some(({ state }) => state === 'refused') ? 'refused' : 'queued',
      attempt_count: Math.max(...parts.map(({ attempt_count }) => attempt_count)),
      error: told?.error ?? null,
    };
  });
}
