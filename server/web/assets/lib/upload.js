/**
 * Sending a large file, with how much of it has left: fetch does not tell that.
 */
import { Problem, readRefusal } from './api.js';

/** An import of a hundred thousand images takes the server some half an hour. */
const TIMEOUT_MS = 2 * 3_600_000;

/** @typedef {{sent_bytes: number, total_bytes: number}} Sent */

/**
 * @param {string} detail What happened and what to do.
 * @returns {Problem} That the file did not get through.
 */
function cutOff(detail) {
  const title = 'The file did not get through';
  return new Problem({ slug: 'unreachable', title, status: 0, detail, members: {} });
}

/**
 * @param {XMLHttpRequest} request It has been answered.
 * @returns {Promise<unknown>} The JSON of the answer.
 */
async function answerOf(request) {
  const response = new Response(request.responseText, {
    status: request.status,
    statusText: request.statusText,
  });
  if (!response.ok) throw await readRefusal(response);
  return /** @type {Promise<unknown>} */ (response.json());
}

/**
 * Post a file as it is. Rejects with a {@link Problem}, or with an AbortError when `signal` says stop.
 * @param {string} url Where.
 * @param {Blob} body What.
 * @param {{onSent: (sent: Sent) => void, signal: AbortSignal}} options Told how much has left; stops it.
 * @returns {Promise<unknown>} The JSON of the answer.
 */
export function postFile(url, body, { onSent, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open('POST', url);
    request.timeout = TIMEOUT_MS;
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total }) =>
      onSent({ sent_bytes: loaded, total_bytes: total });
    request.onload = () => void answerOf(request).then(resolve, reject);
    request.onabort = () => reject(new DOMException('Stopped.', 'AbortError'));
    request.ontimeout = () =>
      reject(cutOff('The server took hours to answer. Import it in parts.'));
    request.onerror = () =>
      reject(
        cutOff(
          'The connection broke, or a file changed while it was read. Try again: nothing is added twice.',
        ),
      );
    request.onloadend = () => signal.removeEventListener('abort', stop);
    if (signal.aborted) {
      reject(new DOMException('Stopped.', 'AbortError'));
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    request.send(body);
  });
}
