/**
 * Retrain and compare: the same recipe on the labels as they are now, followed to its end, then both models.
 */
import { changesSince } from '../lib/comparison.js';
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { poll } from '../lib/live.js';
import {
  compareModels,
  createJob,
  createSnapshot,
  diffSnapshots,
  readJob,
  readSnapshot,
} from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { comparisonCard } from './comparison-card.js';
import { jobState } from './job-state.js';
import { messagePlace, runAction } from './notices.js';
import { explainRefusal } from './train-panel.js';

/** @typedef {import('../lib/types.js').Model} Model */

const REFRESH_MS = 1_000;
const UNCHANGED =
  'Nothing has changed since this model was trained: the same images, labels and recipe would give the same model again.';

/**
 * @typedef {object} RetrainOptions
 * @property {Model} model The one whose doubts are being cleaned.
 * @property {string | null} jobId A training that was started from here before.
 * @property {() => Promise<void>} settle Settled when all decisions have reached the server.
 * @property {(jobId: string) => void} onStart Told of the new job.
 * @property {AbortSignal} signal Of the page.
 */

/**
 * @param {RetrainOptions} options What to train like, and whom to tell.
 * @returns {HTMLElement} The panel.
 */
export function retrainPanel(options) {
  const { model, jobId, signal } = options;
  const message = messagePlace();
  const result = h('div', { class: 'stack', 'aria-live': 'polite' });
  const button = h(
    'button',
    { type: 'button', class: 'button primary', 'data-testid': 'retrain' },
    'Retrain and compare',
  );
  /** @type {string | null} */
  let running = jobId;
  const start = async () => {
    await options.settle();
    const job = await trainAgain(model, signal);
    if (job === null) {
      replace(message, UNCHANGED);
      return;
    }
    running = job.id;
    options.onStart(job.id);
  };
  const follow = async () => {
    if (running === null) return;
    button.disabled = true;
    try {
      await followJob({ id: running, model, place: result, signal });
    } catch (error) {
      if (!signal.aborted) {
        replace(result, h('p', { class: 'message is-error' }, explainError(error)));
      }
    }
    running = null;
    button.disabled = false;
  };
  const explain = (/** @type {unknown} */ error) => explainRefusal(error, model.dataset_id);
  button.addEventListener(
    'click',
    () => void runAction(button, message, start, explain).then(follow),
  );
  void follow();
  return h(
    'section',
    { class: 'card stack tight' },
    h('h2', {}, 'Did it help?'),
    h(
      'p',
      { class: 'muted' },
      'Trains like before on the labels as they are now, and asks both models about the same validation images.',
    ),
    h('div', {}, button),
    message,
    result,
  );
}

/**
 * @param {Model} model The one to train like.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<import('../lib/types.js').Job | null>} A job on the images as they are now; null when nothing about
 *   them has changed.
 */
async function trainAgain(model, signal) {
  const { valid_ratio, seed } = await readSnapshot(model.snapshot_id);
  const snapshot = await createSnapshot(model.dataset_id, { valid_ratio, seed });
  const { counts } = await diffSnapshots(model.snapshot_id, snapshot.id, signal);
  if (changesSince(counts) === null) return null;
  return createJob(snapshot.id, { ...model.recipe, kind: model.recipe.kind ?? 'head' });
}

/**
 * Show a job until it has ended, then the comparison.
 * @param {{id: string, model: Model, place: HTMLElement, signal: AbortSignal}} options Which one, and where.
 */
async function followJob({ id, model, place, signal }) {
  let shown = '';
  /** @type {string | null} */
  let since = null;
  await poll(
    async () => {
      const job = await readJob(id, signal);
      if (shown === '') {
        const { counts } = await diffSnapshots(model.snapshot_id, job.snapshot_id, signal);
        since = changesSince(counts);
      }
      const now = JSON.stringify(job);
      if (now !== shown) replace(place, since && h('p', {}, since), jobState(job), note(job));
      shown = now;
      if (job.state === 'succeeded' && job.model_id) {
        const found = await compareModels(job.model_id, model.id, signal);
        const next = hashFor('datasets/clean', model.dataset_id, { model: job.model_id });
        replace(
          place,
          since && h('p', {}, since),
          comparisonCard(found),
          h('div', {}, h('a', { class: 'button', href: next }, 'Clean on with the new model')),
        );
      }
      return job.state === 'queued' || job.state === 'running';
    },
    REFRESH_MS,
    signal,
  );
}

/**
 * @param {import('../lib/types.js').Job} job As it is.
 * @returns {HTMLElement | null} What a training that came to nothing leaves behind; null while it may succeed.
 */
function note({ state }) {
  if (state !== 'failed' && state !== 'cancelled') return null;
  return h(
    'p',
    {},
    'Your labels are kept, and the former model is as it was. Try again when you like.',
  );
}
