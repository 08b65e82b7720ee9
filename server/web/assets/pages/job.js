/**
 * A training as it goes: its phase, its progress, what went wrong, and on to the model when done.
 */
import { confirmDialog } from '../components/dialogs.js';
import { factList } from '../components/facts.js';
import { messagePlace, runAction } from '../components/notices.js';
import { progressBar } from '../components/progress.js';
import { h, replace } from '../lib/dom.js';
import { JOB_WORDS } from '../lib/explain.js';
import { count, duration, percent, timeElement } from '../lib/format.js';
import { poll } from '../lib/live.js';
import { cancelJob, readDataset, readJob, readSnapshot } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Job} Job */

const REFRESH_MS = 1_000;

/** @type {[string, string][]} */
const PHASES = [
  ['blobs', 'Get the images'],
  ['features', 'Look at each with the backbone'],
  ['baselines', 'Measure the baselines'],
  ['head', 'Train the head'],
  ['export', 'Export and check'],
  ['upload', 'Hand over the model'],
];

/**
 * @param {Job} job As it is.
 * @returns {HTMLElement} All phases, with the present one marked.
 */
function phaseList(job) {
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
function jobState(job) {
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
 * @param {Job} job Which one.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The cancel button.
 */
function cancelControl(job, signal) {
  const message = messagePlace();
  const cancel = async () => {
    const question = {
      title: 'Cancel this training?',
      text: 'What it did so far is lost, except for cached features.',
      yes: 'Cancel training',
    };
    if (await confirmDialog(question, signal)) await cancelJob(job.id);
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button',
      'data-testid': 'cancel-job',
      onclick: () => void runAction(button, message, cancel),
    },
    'Cancel',
  );
  return h('div', {}, button, message);
}

/**
 * Show a job.
 * @param {import('../lib/types.js').PageContext} context Where, which, and until when.
 */
export async function show({ root, route, signal }) {
  const first = await readJob(route.id ?? '', signal);
  const [dataset, snapshot] = await Promise.all([
    readDataset(first.dataset_id, signal),
    readSnapshot(first.snapshot_id, signal),
  ]);
  document.title = `Training · ${dataset.name} · Bowerbird`;
  const state = h('div', { 'aria-live': 'polite' });
  const phases = h('div');
  const facts = h('div');
  const cancel = h('div', {}, cancelControl(first, signal));
  const isOpen = (/** @type {Job} */ job) => job.state === 'queued' || job.state === 'running';
  let shown = '';
  const draw = (/** @type {Job} */ job) => {
    cancel.hidden = !isOpen(job);
    replace(facts, jobFacts(job, snapshot));
    if (shown === JSON.stringify(job)) return;
    shown = JSON.stringify(job);
    replace(state, jobState(job));
    replace(phases, phaseList(job));
  };
  draw(first);
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
      h('h1', { tabindex: -1 }, 'Training'),
    ),
    h(
      'div',
      { class: 'columns' },
      h('section', { class: 'card stack' }, state, phases, cancel),
      h('aside', { class: 'card' }, h('h2', {}, 'About it'), facts),
    ),
  );
  if (isOpen(first)) void follow({ id: first.id, draw, signal });
}

/**
 * Follow a job to its end, and go to its model when the person has watched it succeed.
 * @param {{id: string, draw: (job: Job) => void, signal: AbortSignal}} options Which job.
 */
async function follow({ id, draw, signal }) {
  await poll(
    async () => {
      const job = await readJob(id, signal);
      draw(job);
      if (job.state === 'succeeded' && job.model_id) {
        location.replace(hashFor('models', job.model_id));
      }
      return job.state === 'queued' || job.state === 'running';
    },
    REFRESH_MS,
    signal,
  ).catch(() => undefined);
}

/**
 * @param {Job} job As it is.
 * @param {import('../lib/types.js').Snapshot} snapshot What it trains on.
 * @returns {HTMLElement} Facts.
 */
function jobFacts(job, snapshot) {
  const { counts } = snapshot;
  return factList([
    ['Recipe', job.recipe.kind],
    ['Images', `${count(counts.train)} to train, ${count(counts.valid)} to validate`],
    ['Validation', percent(snapshot.valid_ratio, 0)],
    ['Seed', String(snapshot.seed)],
    [
      'Snapshot',
      h('code', { title: snapshot.manifest_sha256 }, `${snapshot.manifest_sha256.slice(0, 16)}…`),
    ],
    ['Asked for', timeElement(job.created_at)],
    ['Running', jobDuration(job, Date.now())],
    ['Attempts', job.attempts > 1 ? String(job.attempts) : null],
  ]);
}
