/**
 * Where a training stands: state, phases, progress, error, facts.
 */
import { h } from '../lib/dom.js';
import { JOB_WORDS } from '../lib/explain.js';
import { count, duration, percent, timeElement } from '../lib/format.js';
import { hashFor } from '../lib/router.js';
import { factList, hashCode } from './facts.js';
import { progressBar } from './progress.js';

/** @typedef {import('../lib/types.js').Job} Job */

/** @type {[string, string][]} */
const PHASES = [
  ['blobs', 'Get the images'],
  ['features', 'Look at each with the backbone'],
  ['baselines', 'Measure the baselines'],
  ['head', 'Train the head'],
  ['out-of-fold', 'Ask heads that have not seen each image'],
  ['evaluation', 'Look where it fails and what would help'],
  ['export', 'Export and check'],
  ['upload', 'Hand over the model'],
];

/**
 * @param {Job} job As it is.
 * @returns {HTMLElement} All phases, with the present one marked.
 */
export function phaseList(job) {
  const phase = job.progress?.phase ?? '';
  const at =
    job.state === 'succeeded' ? PHASES.length : PHASES.findIndex(([name]) => name === phase);
  const items = PHASES.map(([, title], index) => {
    const isDone = index < at;
    const isCurrent = index === at && job.state === 'running';
    return h(
      'li',
      {
        class: isDone ? 'phase is-done' : isCurrent ? 'phase is-current' : 'phase',
        ...(isCurrent ? { 'aria-current': 'step' } : {}),
      },
      h('span', { class: 'step-mark', 'aria-hidden': 'true' }, isDone ? '✓' : String(index + 1)),
      title,
      isDone && h('span', { class: 'visually-hidden' }, ' (done)'),
    );
  });
  return h('ol', { class: 'phases' }, ...items);
}

/**
 * @param {Job} job As it is.
 * @returns {HTMLElement | null} The bar of the present phase.
 */
function jobProgress(job) {
  if (job.state === 'queued') {
    return progressBar({ done: 0, total: 0, label: 'In the queue' });
  }
  if (job.state !== 'running') return null;
  const progress = job.progress ?? { phase: 'Starting', done: 0, total: 0, message: null };
  const title = PHASES.find(([name]) => name === progress.phase)?.[1];
  return progressBar({ ...progress, label: title ?? progress.phase });
}

/**
 * @param {Job} job As it is.
 * @param {number} now_ms The clock.
 * @returns {string | null} How long it has run or did run.
 */
export function jobDuration(job, now_ms) {
  if (!job.started_at) return null;
  const end_ms = job.finished_at ? Date.parse(job.finished_at) : now_ms;
  return duration(Math.max(0, (end_ms - Date.parse(job.started_at)) / 1000));
}

/**
 * @param {Job} job As it is.
 * @returns {HTMLElement} State, progress, error, and where to go next.
 */
export function jobState(job) {
  return h(
    'div',
    { class: 'stack' },
    h(
      'p',
      { class: `state state-${job.state}`, 'data-testid': 'job-state', 'data-state': job.state },
      JOB_WORDS[job.state],
    ),
    jobProgress(job),
    job.error &&
      h(
        'div',
        { class: 'error-card card', role: 'alert' },
        h('p', {}, h('strong', {}, job.error.detail)),
        h('p', { class: 'muted small' }, `Kind: ${job.error.kind}`),
      ),
    job.model_id &&
      h(
        'p',
        {},
        h(
          'a',
          {
            class: 'button primary',
            href: hashFor('models', job.model_id),
            'data-testid': 'model-link',
          },
          'See the model',
        ),
      ),
  );
}

/**
 * @param {Job} job As it is.
 * @param {import('../lib/types.js').Snapshot} snapshot What it trains on.
 * @returns {HTMLElement} Facts.
 */
export function jobFacts(job, snapshot) {
  const { counts } = snapshot;
  return factList([
    ['Recipe', job.recipe.kind],
    ['Images', `${count(counts.train)} to train, ${count(counts.valid)} to validate`],
    ['Validation', percent(snapshot.valid_ratio, 0)],
    ['Seed', String(snapshot.seed)],
    ['Snapshot', hashCode(snapshot.manifest_sha256)],
    ['Asked for', timeElement(job.created_at)],
    ['Running', jobDuration(job, Date.now())],
    ['Attempts', job.attempts > 1 ? String(job.attempts) : null],
  ]);
}
