/**
 * A dataset's models and the jobs that are not done yet.
 */
import { h, replace } from '../lib/dom.js';
import { JOB_WORDS, STAGES } from '../lib/explain.js';
import { percent, timeElement } from '../lib/format.js';
import { poll } from '../lib/live.js';
import { recipeTitle } from '../lib/recipes.js';
import { listJobs, listModels } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { loadingNote } from './notices.js';

/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/types.js').Job} Job */

/** Jobs take seconds to minutes. */
const REFRESH_MS = 4_000;

/**
 * @param {Model} model A model.
 * @returns {HTMLElement} One line.
 */
function modelRow(model) {
  return h(
    'li',
    { class: 'row between' },
    h('a', { href: hashFor('models', model.id) }, `${percent(model.metrics.error_rate)} error`),
    h('span', { class: 'muted small' }, timeElement(model.created_at)),
    h(
      'span',
      { class: model.stage === 'live' ? 'badge good' : 'badge' },
      STAGES[model.stage].title,
    ),
  );
}

/**
 * @param {Job} job A job without a model.
 * @returns {HTMLElement} One line.
 */
function jobRow(job) {
  return h(
    'li',
    { class: 'row between' },
    h('a', { href: hashFor('jobs', job.id) }, recipeTitle(job.recipe.kind)),
    h('span', { class: 'muted small' }, `${JOB_WORDS[job.state]}, `, timeElement(job.created_at)),
  );
}

/**
 * @param {string} datasetId Which dataset.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The list, kept up to date.
 */
export function trainingList(datasetId, signal) {
  const place = h('div', {}, loadingNote());
  let shown = '';
  void poll(
    async () => {
      if (document.hidden && shown !== '') return;
      const [models, jobs] = await Promise.all([
        listModels({ dataset: datasetId, limit: 20 }, signal),
        listJobs(datasetId, signal),
      ]);
      const open = jobs.items.filter((job) => job.state !== 'succeeded').slice(0, 5);
      const now = JSON.stringify([models.items, open]);
      if (now === shown || place.contains(document.activeElement)) return;
      shown = now;
      const newest = [...models.items].sort((a, b) => b.created_at.localeCompare(a.created_at));
      const rows = [...open.map(jobRow), ...newest.map(modelRow)];
      replace(
        place,
        rows.length > 0
          ? h('ul', { class: 'plain stack tight' }, ...rows)
          : h('p', { class: 'muted' }, 'None yet: train one.'),
      );
    },
    REFRESH_MS,
    signal,
  ).catch(() => replace(place, h('p', { class: 'muted' }, 'Could not be loaded.')));
  return h('section', { class: 'card' }, h('h2', {}, 'Models'), place);
}
