/**
 * What changes by itself: polling and server-sent events, each ended by an AbortSignal.
 */
import { apiUrl, Problem } from './api.js';
import { readDataset } from './resources.js';

/** @typedef {import('./types.js').Dataset} Dataset */

/** How often counts are asked for when events do not come through (a proxy that buffers them). */
const FALLBACK_MS = 3_000;

/**
 * Wait, or less when stopped.
 * @param {number} delay_ms How long.
 * @param {AbortSignal} signal Ends the wait at once.
 * @returns {Promise<void>} Settled after the wait; it never rejects.
 */
export function sleep(delay_ms, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, delay_ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Do something again and again until stopped. A server that is away for a moment (status 0 or 5xx) is waited for;
 * any other refusal ends it.
 * @param {() => Promise<boolean | void>} step One round; false ends it.
 * @param {number} interval_ms Between the end of one round and the next.
 * @param {AbortSignal} signal Ends it.
 * @returns {Promise<void>} Settled when it has ended.
 */
export async function poll(step, interval_ms, signal) {
  let failures = 0;
  while (!signal.aborted) {
    try {
      if ((await step()) === false) return;
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem) || (error.status > 0 && error.status < 500)) throw error;
      failures += 1;
    }
    // Up to eight times slower while the server is away, so that a closed laptop is not kept busy.
    await sleep(interval_ms * 2 ** Math.min(failures, 3), signal);
  }
}

/**
 * Follow a dataset's counts.
 * @param {string} id Which dataset.
 * @param {{onChange: (dataset: Dataset) => void, onDeleted: () => void}} listener Told of each change, and of the end.
 * @param {AbortSignal} signal Ends it.
 */
export function watchDataset(id, { onChange, onDeleted }, signal) {
  if (signal.aborted) return;
  const source = new EventSource(apiUrl(`/datasets/${id}/events`));
  let isPolling = false;
  source.addEventListener('counts', (event) => {
    /** @type {unknown} */
    const dataset = JSON.parse(String(event.data));
    onChange(/** @type {Dataset} */ (dataset));
  });
  source.addEventListener('deleted', () => {
    source.close();
    onDeleted();
  });
  source.addEventListener('error', () => {
    // While it is CONNECTING the browser tries again by itself; CLOSED means that it has given up.
    if (source.readyState !== EventSource.CLOSED || isPolling) return;
    isPolling = true;
    void poll(async () => onChange(await readDataset(id, signal)), FALLBACK_MS, signal).catch(
      () => undefined, // A dataset that is gone has nothing more to tell; the page itself says so on reload.
    );
  });
  signal.addEventListener('abort', () => source.close(), { once: true });
}
