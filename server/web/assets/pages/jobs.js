/**
 * All trainings, the newest first, kept up to date.
 */
import { jobDuration } from '../components/job-state.js';
import { emptyState, errorCard } from '../components/notices.js';
import { findingText } from '../lib/curves.js';
import { h, replace } from '../lib/dom.js';
import { JOB_WORDS } from '../lib/explain.js';
import { count, timeElement } from '../lib/format.js';
import { poll } from '../lib/live.js';
import { listDatasets, listJobs } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').Job} Job */

/** Trainings take seconds to minutes. */
const REFRESH_MS = 4_000;

/**
 * @param {Job} job As it is.
 * @returns {string} Its state, and how far it is.
 */
function stateText(job) {
  const { progress } = job;
  const isCounted = job.state === 'running' && progress !== null && progress.total > 0;
  const far = isCounted ? `, ${count(progress.done)} of ${count(progress.total)}` : '';
  return `${JOB_WORDS[job.state]}${far}`;
}

/**
 * @param {Job} job As it is.
 * @param {Map<string, string>} names Of the datasets.
 * @returns {HTMLElement} A row of the table.
 */
function jobRow(job, names) {
  return h(
    'tr',
    { 'data-testid': 'job' },
    h(
      'th',
      { scope: 'row' },
      h('a', { href: hashFor('jobs', job.id) }, names.get(job.dataset_id) ?? 'a dataset'),
    ),
    h('td', {}, stateText(job)),
    h('td', {}, timeElement(job.created_at)),
    h('td', {}, jobDuration(job, Date.now()) ?? '–'),
    h(
      'td',
      {},
      job.model_id ? h('a', { href: hashFor('models', job.model_id) }, 'Model') : withoutModel(job),
    ),
  );
}

/**
 * @param {Job} job One that has made no model.
 * @returns {import('../lib/dom.js').Child} What came of it instead.
 */
function withoutModel({ finding, error }) {
  return finding ? findingText(finding) : error?.detail;
}

/**
 * Show all jobs.
 * @param {import('../lib/types.js').PageContext} context Where, and until when.
 */
export async function show({ root, signal }) {
  document.title = 'Trainings · Bowerbird';
  const place = h('div', {});
  const { items } = await listDatasets(signal);
  const names = new Map(items.map(({ id, name }) => [id, name]));
  let shown = '';
  const draw = async () => {
    const jobs = (await listJobs(null, signal)).items;
    const now = JSON.stringify(jobs);
    // Not under the keyboard's focus: it would be lost.
    if (now === shown || place.contains(document.activeElement)) return;
    shown = now;
    replace(
      place,
      jobs.length === 0
        ? emptyState('No training yet', 'Open a dataset and press Train.')
        : jobTable(jobs, names),
    );
  };
  await draw();
  replace(root, h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, 'Trainings')), place);
  void poll(draw, REFRESH_MS, signal).catch((error) => replace(place, errorCard(error)));
}

/**
 * @param {Job[]} jobs Newest first.
 * @param {Map<string, string>} names Of the datasets.
 * @returns {HTMLElement} The table.
 */
function jobTable(jobs, names) {
  const heads = ['Dataset', 'State', 'Asked for', 'Took', 'Result'];
  return h(
    'div',
    { class: 'card scroll-x', tabindex: 0, role: 'region', 'aria-label': 'Trainings' },
    h(
      'table',
      { class: 'wide is-list' },
      h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
      h('tbody', {}, ...jobs.map((job) => jobRow(job, names))),
    ),
  );
}
