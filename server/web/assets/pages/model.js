/**
 * A model: how good beside its baselines, what it confuses, what surprised it, and how to use it.
 */
import { analysisSections, findingsSection } from '../components/analysis-sections.js';
import { askedPanel } from '../components/asked-panel.js';
import { besidePanel } from '../components/beside-panel.js';
import { classTable, confusedList, confusionTable } from '../components/confusion.js';
import { driftPanel } from '../components/drift-panel.js';
import { errorChart } from '../components/error-chart.js';
import { evaluatedImages } from '../components/evaluated-images.js';
import { linksCard } from '../components/links-card.js';
import { modelUse, stagePanel } from '../components/model-panels.js';
import { stageTrail } from '../components/stage-trail.js';
import { trainingCurves } from '../components/training-curves.js';
import { h, replace } from '../lib/dom.js';
import {
  choiceSentence,
  classRows,
  confusedPairs,
  confusionMatrix,
  errorBars,
  topLosses,
  validationItems,
  verdict,
} from '../lib/evaluation.js';
import { count, percent, plural, timeElement } from '../lib/format.js';
import { labelNames } from '../lib/labels.js';
import {
  listLinks,
  readDataset,
  readDrift,
  readModel,
  readPredictionCounts,
} from '../lib/resources.js';
import { hashFor } from '../lib/router.js';

/** @typedef {import('../lib/types.js').ModelWithEvaluation} Model */
/** @typedef {import('../lib/types.js').EvaluationItem} EvaluationItem */

/** A screenful; the rest is for the cleaner. */
const TOP = 18;
/** Pairs of classes: what one would do something about; the table has them all. */
const MOST_CONFUSED = 5;

/**
 * @param {Model} model Which one.
 * @param {EvaluationItem[]} items Its validation rows.
 * @returns {HTMLElement} The error rate, large, with the chart.
 */
function errorSection(model, items) {
  const bars = errorBars(model.metrics, items);
  const interval = bars[0]?.interval;
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, 'Error rate'),
    h(
      'div',
      { class: 'row baseline' },
      h(
        'span',
        { class: 'big-number', 'data-testid': 'error-rate' },
        percent(model.metrics.error_rate),
      ),
      h(
        'span',
        { class: 'muted' },
        interval ? `95 % interval ${percent(interval[0])} to ${percent(interval[1])}, ` : '',
        `on ${plural(items.length, 'validation image')}`,
      ),
    ),
    h('p', { 'data-testid': 'verdict' }, verdict(bars)),
    errorChart(bars),
  );
}

/**
 * @param {Model} model Which one.
 * @param {EvaluationItem[]} items Its validation rows.
 * @param {{labels: string[], signal: AbortSignal}} options Of the page.
 * @returns {HTMLElement} The matrix; a cell shows its images below.
 */
function confusionSection(model, items, { labels, signal }) {
  const place = h('div', { class: 'stack', 'aria-live': 'polite' });
  const matrix = confusionMatrix(items, model.classes);
  const onCell = (/** @type {string} */ label, /** @type {string} */ predicted) => {
    const cell = items.filter((item) => item.label === label && item.predicted === predicted);
    replace(
      place,
      h('h3', {}, `${plural(cell.length, 'image')} labelled ${label}, predicted ${predicted}`),
      evaluatedImages({ items: topLosses(cell, TOP), datasetId: model.dataset_id, labels, signal }),
    );
    place.scrollIntoView({ block: 'nearest' });
  };
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, 'What it confuses'),
    confusedList(confusedPairs(matrix, model.classes, MOST_CONFUSED), onCell),
    confusionTable({ matrix, classes: model.classes, onCell }),
    place,
    h('h3', {}, 'Class by class'),
    classTable(classRows(matrix, model.classes)),
  );
}

/**
 * @param {Model} model Which one.
 * @param {EvaluationItem[]} items Its validation rows.
 * @param {{labels: string[], signal: AbortSignal}} options Of the page.
 * @returns {HTMLElement} What surprised it most.
 */
function lossSection(model, items, { labels, signal }) {
  const worst = topLosses(items, TOP);
  return h(
    'section',
    { class: 'card stack', 'data-testid': 'top-losses' },
    h('h2', {}, 'What surprised it most'),
    h(
      'p',
      { class: 'muted' },
      'Wrong labels gather here. Open an image to relabel or exclude it, or go through all of them: ',
      h(
        'a',
        {
          href: hashFor('datasets/clean', model.dataset_id, { model: model.id }),
          'data-testid': 'clean-link',
        },
        'clean the labels',
      ),
      '.',
    ),
    evaluatedImages({ items: worst, datasetId: model.dataset_id, labels, signal }),
  );
}

/**
 * @param {Model} model Which one.
 * @returns {HTMLElement | null} How its fine-tuning went; null of a model that is a head alone.
 */
function trainingSection(model) {
  const tuning = model.history?.fine_tuning;
  if (!tuning) return null;
  const curves = trainingCurves();
  curves.update(tuning.stages, tuning.updates);
  return h(
    'section',
    { class: 'card stack', 'data-testid': 'training-section' },
    h('h2', {}, 'How the training went'),
    h('p', { 'data-testid': 'choice' }, choiceSentence(tuning.choice)),
    curves.node,
    ...tuning.notes.map((note) => h('p', { class: 'muted' }, note)),
  );
}

/**
 * @param {Model} model Which one.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement[]} Its stage, what runs beside the live one, and the trail: each shows what another changed.
 */
function stageSections(model, signal) {
  const trail = stageTrail(model, signal);
  const place = h('div');
  const onStage = (/** @type {Model['stage']} */ stage) => {
    replace(place, panel(stage));
    void trail.refresh();
  };
  const beside = besidePanel(model, onStage, signal);
  const onChange = () => {
    void trail.refresh();
    void beside.refresh();
  };
  const panel = (/** @type {Model['stage']} */ stage) => stagePanel({ ...model, stage }, onChange);
  replace(place, panel(model.stage));
  return [place, beside.node, trail.node];
}

/**
 * Show a model.
 * @param {import('../lib/types.js').PageContext} context Where, which, and until when.
 */
export async function show({ root, route, signal }) {
  const model = await readModel(route.id ?? '', signal);
  const dataset = await readDataset(model.dataset_id, signal);
  const asked = await readPredictionCounts(model.id, signal);
  const drift = asked.mode === 'off' ? null : await readDrift(model.id, signal);
  const links = await listLinks(dataset.id, signal);
  const items = validationItems(model.evaluation);
  const options = { labels: labelNames(dataset), signal };
  const [stage, beside, trail] = stageSections(model, signal);
  document.title = `Model of ${dataset.name} · Bowerbird`;
  replace(
    root,
    h(
      'header',
      { class: 'page-head' },
      h('p', { class: 'crumbs' }, h('a', { href: hashFor('datasets', dataset.id) }, dataset.name)),
      h('h1', { tabindex: -1 }, `Model of ${dataset.name}`),
      h(
        'p',
        { class: 'muted' },
        `${count(model.classes.length)} classes: ${model.classes.join(', ')} · trained `,
        timeElement(model.created_at),
      ),
    ),
    h(
      'div',
      { class: 'columns' },
      h(
        'div',
        { class: 'stack' },
        errorSection(model, items),
        ...findingsSection(model),
        items.length > 0 && confusionSection(model, items, options),
        items.length > 0 && lossSection(model, items, options),
        trainingSection(model),
        ...analysisSections(model),
      ),
      h(
        'aside',
        { class: 'stack' },
        stage,
        beside,
        modelUse(model),
        trail,
        askedPanel(model.id, asked, signal),
        drift && driftPanel(drift),
        linksCard(dataset.id, links.items, signal),
      ),
    ),
  );
}
