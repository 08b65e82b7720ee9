/** How the extension's pages ask the background. */
import { ext } from './browser.js';
import { BowerbirdError, reviveError } from './errors.js';
import { text } from './text.js';

/**
 * Send a message to the background and wait for its reply.
 *
 * @template {import('./messages.js').MessageType} T
 * @param {T} type Which message.
 * @param {import('./messages.js').Request<T>} request Its content.
 * @returns {Promise<import('./messages.js').Reply<T>>} The reply.
 * @throws {import('./errors.js').BowerbirdError} What the background threw.
 */
export async function send(type, request) {
  /** @type {import('./messages.js').Answer | undefined} */
  const answer = await ext.runtime.sendMessage({ type, request });
  if (answer === undefined) {
    throw new BowerbirdError('unexpected', text('extensionSilent'));
  }
  if (!answer.ok) throw reviveError(answer.error);
  return /** @type {import('./messages.js').Reply<T>} */ (answer.reply);
}
