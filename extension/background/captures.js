/** Makes captures out of what the person chose, and takes them back. */
import { BowerbirdError, ServerProblem } from '../lib/errors.js';
import { normaliseQuery } from '../lib/label.js';
import { ulid } from '../lib/ulid.js';

/** @typedef {import('../lib/types.js').QueueEntry} QueueEntry */
/** @typedef {import('../lib/types.js').CaptureReply} CaptureReply */
/** @typedef {import('../lib/types.js').CaptureOutcome} CaptureOutcome */

/**
 * Store a capture, try to send it, and say what became of it.
 *
 * @param {object} parts What it works with.
 * @param {import('./settings.js').SettingsStore} parts.settings Remembers the choices.
 * @param {import('./queue.js').CaptureQueue} parts.queue Sends it.
 * @param {string} parts.client Name of this build for the server.
 * @param {import('../lib/messages.js').Request<'capture'>} request What the person chose.
 * @returns {Promise<CaptureOutcome>} Sent, or why not yet.
 */
export async function capture({ settings, queue, client }, { dataset, label, origin, candidates }) {
  const { server } = await settings.read();
  const captureKey = ulid();
  await queue.add({
    server,
    dataset_id: dataset.id,
    dataset_name: dataset.name,
    body: {
      capture_key: captureKey,
      label,
      ...origin,
      captured_at: new Date().toISOString(),
      client,
      candidates,
    },
  });
  await settings.rememberChoice(dataset.id, label, normaliseQuery(origin.query));
  await queue.sendDue();
  return findOutcome(settings, queue, captureKey);
}

/**
 * Find out whether a capture was sent.
 *
 * @param {import('./settings.js').SettingsStore} settings Holds the last capture that was.
 * @param {import('./queue.js').CaptureQueue} queue Holds those that were not.
 * @param {string} captureKey Which capture.
 * @returns {Promise<CaptureOutcome>} What became of it.
 */
async function findOutcome(settings, queue, captureKey) {
  const waiting = (await queue.list()).find((entry) => entry.capture_key === captureKey);
  if (waiting !== undefined) {
    return { state: waiting.state, error: waiting.error ?? 'Waits behind another capture.' };
  }
  const { last_capture } = await settings.read();
  if (last_capture?.capture_key !== captureKey) {
    throw new BowerbirdError(
      'unexpected',
      'Sent, but another capture came between: see the page of the dataset.',
    );
  }
  return { state: 'sent', capture: last_capture };
}

/**
 * Send a queued capture to the server that it was made for.
 *
 * @param {import('./session.js').Session} session The paired server.
 * @param {import('./settings.js').SettingsStore} settings Says which server that is.
 * @param {QueueEntry} entry What to send.
 * @returns {Promise<CaptureReply>} The server's answer.
 * @throws {BowerbirdError} As `Session.call`; `not-paired` when it is for another server.
 */
export async function sendCapture(session, settings, entry) {
  const { server } = await settings.read();
  if (server !== entry.server) {
    throw new BowerbirdError('not-paired', `Waits until ${entry.server} is paired again.`);
  }
  const path = `/datasets/${encodeURIComponent(entry.dataset_id)}/captures`;
  return session.call({ method: 'POST', path, json: entry.body });
}

/**
 * Take the last capture back.
 *
 * @param {import('./session.js').Session} session The paired server.
 * @param {import('./settings.js').SettingsStore} settings Knows the last capture.
 * @returns {Promise<import('../lib/types.js').SentCapture>} What was taken back.
 * @throws {BowerbirdError} As `Session.call`; `unexpected` when there is nothing to take back.
 */
export async function undoLastCapture(session, settings) {
  const { last_capture: last } = await settings.read();
  if (last === null) throw new BowerbirdError('unexpected', 'There is no capture to undo.');
  try {
    await session.call({ method: 'DELETE', path: `/captures/${last.capture_id}` });
  } catch (error) {
    // Gone already, for example undone on the server's page.
    if (!(error instanceof ServerProblem) || error.status !== 404) throw error;
  }
  await settings.update({ last_capture: null });
  return last;
}
