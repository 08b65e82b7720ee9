/**
 * What changes by itself: polling and server-sent events, each ended by an AbortSignal.
 */
import { apiUrl, Problem } from './api.js';
import { readDataset, readJob } from './resources.js';

/** @typedef {import('./types.js').Dataset} Dataset */
/** @typedef {import('./types.js').Job} Job */

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
 * Follow a dataset's events; where they do not come through, ask now and then.
 * @param {string} id Which dataset.
 * @param {{name: string, onEvent: (data: unknown) => void, ask: () => Promise<boolean | void>}} listener Told what an event of this name says; `ask` does the same by asking, and ends the asking by false.
 * @param {AbortSignal} signal Ends it.
 * @returns {EventSource} The stream.
 */
function follow(id, { name, onEvent, ask }, signal) {
  const source = new EventSource(apiUrl(`/datasets/${id}/events`));
  let isPolling = false;
  source.addEventListener(name, (event) => onEvent(JSON.parse(String(event.data))));
  source.addEventListener('error', () => {
    // While it is CONNECTING the browser tries again by itself; CLOSED means that it has given up.
    if (source.readyState !== EventSource.CLOSED || isPolling || signal.aborted) return;
    isPolling = true;
    // What is gone has nothing more to tell; the page itself says so on reload.
    void poll(ask, FALLBACK_MS, signal).catch(() => undefined);
  });
  signal.addEventListener('abort', () => source.close(), { once: true });
  return source;
}

/**
 * Follow a dataset's counts.
 * @param {string} id Which dataset.
 * @param {{onChange: (dataset: Dataset) => void, onDeleted: () => void}} listener Told of each change, and of the end.
 * @param {AbortSignal} signal Ends it.
 */
export function watchDataset(id, { onChange, onDeleted }, signal) {
  if (signal.aborted) return;
  const onEvent = (/** @type {unknown} */ data) => onChange(/** @type {Dataset} */ (data));
  const ask = async () => onChange(await readDataset(id, signal));
  const source = follow(id, { name: 'counts', onEvent, ask }, signal);
  source.addEventListener('deleted', () => {
    source.close();
    onDeleted();
  });
}

/**
 * @param {Job} job As it is.
 * @returns {boolean} Whether it can still change.
 */
export const isOpen = (job) => job.state === 'queued' || job.state === 'running';

/**
 * Follow a training to its end.
 * @param {Job} job Which one.
 * @param {(job: Job) => void} onChange Told of each change; the last is its end.
 * @param {AbortSignal} signal Ends it.
 */
export function watchJob(job, onChange, signal) {
  if (signal.aborted) return;
  const end = new AbortController();
  const until = AbortSignal.any([signal, end.signal]);
  const tell = (/** @type {Job} */ now) => {
    if (until.aborted) return;
    onChange(now);
    if (!isOpen(now)) end.abort();
  };
  const ask = async () => tell(await readJob(job.id, until));
  const onEvent = (/** @type {unknown} */ data) => {
    const { items } = /** @type {{items: Job[]}} */ (data);
    const now = items.find((each) => each.id === job.id);
    if (now) tell(now);
    // Of a dataset's jobs the newest alone are told of.
    else void ask().catch(() => undefined);
  };
  follow(job.dataset_id, { name: 'jobs', onEvent, ask }, until);
}
