/**
 * Where a training stands: state, phases, progress, error, facts.
 */
import { h } from '../lib/dom.js';
import { JOB_WORDS } from '../lib/explain.js';
import { count, duration, percent, timeElement } from '../lib/format.js';
import { isOpen } from '../lib/live.js';
import { recipeTitle } from '../lib/recipes.js';
import { hashFor } from '../lib/router.js';
import { factList, hashCode } from './facts.js';
import { progressBar } from './progress.js';

/** @typedef {import('../lib/types.js').Job} Job */

/** What each phase does. @type {Record<string, string>} */
const PHASE_TITLES = {
  blobs: 'Get the images',
  features: 'Look at each with the backbone',
  baselines: 'Measure the baselines',
  head: 'Train the head',
  'fine-tune': 'Fine-tune the backbone, from that head on',
  'lr-find': 'Try learning rates from tiny to huge',
  'out-of-fold': 'Ask heads that have not seen each image',
  answers: 'Ask the model about each',
  evaluation: 'Look where it fails and what would help',
  export: 'Export and check',
  upload: 'Hand over the model',
};
const JUDGED = ['export', 'out-of-fold', 'evaluation', 'upload'];
/** The phases of each kind of recipe, in order, as the trainer goes through them. @type {Record<string, string[]>} */
const PHASES = {
  head: ['blobs', 'features', 'baselines', 'head', ...JUDGED],
  'fine-tune': ['blobs', 'features', 'baselines', 'head', 'fine-tune', ...JUDGED],
  'lr-find': ['blobs', 'features', 'head', 'lr-find'],
  evaluate: ['blobs', 'answers'],
};
/** What there is to see while a recipe goes on, until there is. @type {Record<string, string>} */
const CURVE_NOTES = {
  head:
    'There is no curve to watch: a head is fitted to its optimum in seconds, and judged on images ' +
    'that it has not seen.',
  'fine-tune': 'Its curves begin with the first look at the validation images.',
  'lr-find': 'Its curve is drawn when the loss has exploded, or no higher rate is left to try.',
};

/**
 * @param {Job} job As it is.
 * @returns {string} What to expect of curves that are not there yet; empty when there is nothing to wait for.
 */
export function curveNote(job) {
  return isOpen(job) && !job.progress?.stages?.length ? (CURVE_NOTES[job.recipe.kind] ?? '') : '';
}

/**
 * @param {Job} job As it is.
 * @returns {string[]} The phases that it goes through; none of a recipe that is not known here.
 */
function phasesOf(job) {
  return PHASES[job.recipe.kind] ?? [];
}

/**
 * @param {Job} job As it is.
 * @returns {HTMLElement} All phases, with the present one marked.
 */
export function phaseList(job) {
  const phase = job.progress?.phase ?? '';
  const names = phasesOf(job);
  const at = job.state === 'succeeded' ? names.length : names.indexOf(phase);
  const items = names.map((name, index) => {
    const isDone = index < at;
    const isCurrent = index === at && job.state === 'running';
    return h(
      'li',
      {
        class: isDone ? 'phase is-done' : isCurrent ? 'phase is-current' : 'phase',
        ...(isCurrent ? { 'aria-current': 'step' } : {}),
      },
      h('span', { class: 'step-mark', 'aria-hidden': 'true' }, isDone ? '✓' : String(index + 1)),
      PHASE_TITLES[name],
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
  return progressBar({ ...progress, label: PHASE_TITLES[progress.phase] ?? progress.phase });
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
    ['Recipe', recipeTitle(job.recipe.kind)],
    ['Images', `${count(counts.train)} to train, ${count(counts.valid)} to validate`],
    ['Validation', percent(snapshot.valid_ratio, 0)],
    ['Seed', String(snapshot.seed)],
    ['Snapshot', hashCode(snapshot.manifest_sha256)],
    ['Asked for', timeElement(job.created_at)],
    [isOpen(job) ? 'Running' : 'Took', jobDuration(job, Date.now())],
    ['Attempts', job.attempts > 1 ? String(job.attempts) : null],
  ]);
}
