/**
 * A training as it goes: its phase, its progress, what went wrong, and on to the model when done.
 */
import { confirmDialog } from '../components/dialogs.js';
import { jobFacts, jobState, phaseList } from '../components/job-state.js';
import { messagePlace, runAction } from '../components/notices.js';
import { h, replace } from '../lib/dom.js';
import { poll } from '../lib/live.js';
import { cancelJob, readDataset, readJob, readSnapshot } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Job} Job */

const REFRESH_MS = 1_000;

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
