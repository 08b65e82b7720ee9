/**
 * A training as it goes: its phase, its curves, what went wrong, and on to the model when done.
 */
import { confirmDialog } from '../components/dialogs.js';
import { curveNote, jobFacts, jobState, phaseList } from '../components/job-state.js';
import { messagePlace, runAction } from '../components/notices.js';
import { findingCard, trainingCurves } from '../components/training-curves.js';
import { findingText, stagesOf, updatesOf } from '../lib/curves.js';
import { h, replace } from '../lib/dom.js';
import { percent } from '../lib/format.js';
import { isOpen, poll, watchJob } from '../lib/live.js';
import { cancelJob, readDataset, readJob, readSnapshot } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/dom.js').Child} Child */
/** @typedef {import('../lib/types.js').Job} Job */

/** How long it has run is said in seconds. */
const TICK_MS = 1_000;

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
 * @param {Job} job As it is.
 * @returns {Child} What it found, when it makes no model.
 */
function findingPart({ finding }) {
  if (!finding) return null;
  if ('points' in finding) return findingCard(finding);
  return h(
    'p',
    { 'data-testid': 'finding' },
    `${findingText(finding)}; the model itself says ${percent(finding.told_error_rate)}. `,
    h('a', { href: hashFor('models', finding.model_id) }, 'See the model'),
  );
}

/** What a page is called, by the recipe; all others train. @type {Record<string, string>} */
const TITLES = { 'lr-find': 'Learning rates for', evaluate: 'Evaluation on' };

/**
 * @param {AbortSignal} signal Of the page.
 * @returns {{node: HTMLElement, draw: (job: Job) => void}} The parts of the page that change; each is redrawn alone, so that the focus stays.
 */
function livePart(signal) {
  const state = h('div', { 'aria-live': 'polite' });
  const phases = h('div');
  const curves = trainingCurves();
  const note = h('p', { class: 'muted' });
  const finding = h('div');
  const cancel = h('div');
  const node = h(
    'section',
    { class: 'card stack' },
    ...[state, curves.node, note, finding, phases, cancel],
  );
  /** @type {Map<Element, string>} */
  const shown = new Map();
  const redraw = (
    /** @type {Element} */ place,
    /** @type {unknown} */ what,
    /** @type {() => Child} */ make,
  ) => {
    const now = JSON.stringify(what) ?? '';
    if (shown.get(place) === now) return;
    shown.set(place, now);
    replace(place, make());
  };
  const draw = (/** @type {Job} */ job) => {
    const stages = stagesOf(job);
    const phase = job.progress?.phase;
    redraw(state, { ...job, progress: { ...job.progress, stages: null } }, () => jobState(job));
    redraw(phases, [job.state, phase], () => phaseList(job));
    redraw(finding, job.finding, () => findingPart(job));
    redraw(note, curveNote(job), () => curveNote(job));
    note.hidden = curveNote(job) === '';
    curves.update(stages, updatesOf(job));
    redraw(cancel, isOpen(job), () => isOpen(job) && cancelControl(job, signal));
  };
  return { node, draw };
}

/**
 * Show a job, and go to its model when the person has watched it succeed.
 * @param {import('../lib/types.js').PageContext} context Where, which, and until when.
 */
export async function show({ root, route, signal }) {
  const first = await readJob(route.id ?? '', signal);
  const [dataset, snapshot] = await Promise.all([
    readDataset(first.dataset_id, signal),
    readSnapshot(first.snapshot_id, signal),
  ]);
  const title = TITLES[first.recipe.kind] ?? 'Training of';
  document.title = `${title} ${dataset.name} · Bowerbird`;
  const live = livePart(signal);
  const facts = h('div');
  let last = first;
  const draw = (/** @type {Job} */ job) => {
    last = job;
    live.draw(job);
    replace(facts, jobFacts(job, snapshot));
  };
  draw(first);
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
      h('h1', { tabindex: -1 }, `${title} ${dataset.name}`),
    ),
    h(
      'div',
      { class: 'columns' },
      live.node,
      h('aside', { class: 'card' }, h('h2', {}, 'About it'), facts),
    ),
  );
  if (!isOpen(first)) return;
  const onChange = (/** @type {Job} */ job) => {
    draw(job);
    if (job.state === 'succeeded' && job.model_id) {
      location.replace(hashFor('models', job.model_id));
    }
  };
  watchJob(first, onChange, signal);
  const tick = () => {
    replace(facts, jobFacts(last, snapshot));
    return Promise.resolve(isOpen(last));
  };
  void poll(tick, TICK_MS, signal);
}
