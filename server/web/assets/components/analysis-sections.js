/**
 * Of a model's page: what went wrong, whether its probabilities hold, what more images would bring,
 * where it fails, what gives labels away. A model that is older than this has none of it.
 */
import {
  CLUES,
  SCORES,
  analysisOf,
  curveSentence,
  effectSentence,
  shortcutSentence,
} from '../lib/analysing.js';
import { h } from '../lib/dom.js';
import { count, percent } from '../lib/format.js';
import { learningCurve, reliabilityDiagram } from './analysis-plots.js';
import { plainTable } from './figures.js';

/** @typedef {import('../lib/analysis.js').Analysis} Analysis */
/** @typedef {import('../lib/types.js').ModelWithEvaluation} Model */

/**
 * @param {string} title Of the section.
 * @param {string} testId For tests.
 * @param {...import('../lib/dom.js').Child} children Its content.
 * @returns {HTMLElement} A card.
 */
function section(title, testId, ...children) {
  return h(
    'section',
    { class: 'card stack', 'data-testid': testId },
    h('h2', {}, title),
    ...children,
  );
}

/**
 * @param {Model} model Which one.
 * @returns {HTMLElement[]} The diagnosis, when there is one.
 */
export function findingsSection(model) {
  const findings = analysisOf(model.evaluation)?.findings ?? [];
  if (findings.length === 0) return [];
  const items = findings.map((finding) =>
    h('li', { class: finding.kind === 'healthy' ? 'finding is-good' : 'finding' }, finding.text),
  );
  return [section('What the figures say', 'findings', h('ul', { class: 'findings' }, ...items))];
}

/**
 * @param {Model} model Which one.
 * @returns {HTMLElement[]} All that is known beyond the metrics.
 */
export function analysisSections(model) {
  const analysis = analysisOf(model.evaluation);
  if (!analysis) return [];
  return [
    ...curveSection(analysis),
    ...slicesSection(analysis),
    ...shortcutsSection(analysis),
    ...reliabilitySection(analysis),
    ...abstentionSection(analysis),
  ];
}

/**
 * @param {Analysis} analysis Of the model.
 * @returns {HTMLElement[]} The learning curve.
 */
function curveSection({ learning_curve: curve }) {
  if (!curve) return [];
  return [
    section(
      'What more images would bring',
      'learning-curve-section',
      h('p', {}, curveSentence(curve)),
      learningCurve(curve.points),
    ),
  ];
}

/**
 * @param {Analysis} analysis Of the model.
 * @returns {HTMLElement[]} Errors by where images come from and how they look.
 */
function slicesSection({ slices }) {
  if (!slices || slices.rows.length === 0) return [];
  const rows = slices.rows.map((row) => [
    `${CLUES[row.dimension]}: ${row.value}`,
    count(row.count),
    row.is_worse
      ? h('strong', { class: 'is-bad' }, percent(row.error_rate))
      : percent(row.error_rate),
    `${percent(row.error_rate_interval[0])} to ${percent(row.error_rate_interval[1])}`,
    row.is_worse ? 'yes' : 'no',
  ]);
  const basis =
    slices.basis === 'out-of-fold'
      ? 'All images, by heads that had not seen them. Worse: than all others, by more than chance.'
      : 'The validation images. Worse: than all others, by more than chance.';
  const head = ['Images', 'Count', 'Error rate', '95 % interval', 'Worse'];
  return [
    section(
      'Where it fails',
      'slices-section',
      h('p', { class: 'muted' }, basis),
      plainTable('Slices', head, rows, 'slices'),
    ),
  ];
}

/**
 * @param {Analysis} analysis Of the model.
 * @returns {HTMLElement[]} Whether labels can be guessed without the subject.
 */
function shortcutsSection({ shortcuts }) {
  if (!shortcuts) return [];
  const rows = shortcuts.clues.map((clue) => [
    CLUES[clue.name],
    percent(clue.accuracy),
    percent(clue.chance),
    percent(clue.chance_limit),
    clue.is_shortcut ? h('strong', { class: 'is-bad' }, 'yes') : 'no',
  ]);
  const head = ['Guessed from', 'Right', 'By chance', 'Luck at most', 'Gives it away'];
  return [
    section(
      'Can the label be guessed without the subject?',
      'shortcuts-section',
      h('p', {}, shortcutSentence(shortcuts.clues)),
      rows.length > 0 && plainTable('Shortcuts', head, rows, 'shortcuts'),
      h(
        'p',
        { class: 'muted small' },
        `Chance is what the same guesses reach with the labels of ${count(shortcuts.image_count)} ` +
          `images shuffled, ${count(shortcuts.shuffles)} times.`,
      ),
    ),
  ];
}

/**
 * @param {Analysis} analysis Of the model.
 * @returns {HTMLElement[]} Whether probabilities can be believed.
 */
function reliabilitySection({ reliability }) {
  if (!reliability) return [];
  return [
    section(
      'Can its probabilities be believed?',
      'reliability-section',
      h(
        'p',
        { class: 'muted' },
        'Of answers given with 80 %, 80 % should be right: bars should end on the line.',
      ),
      reliabilityDiagram(reliability.bins),
      reliability.effect && h('p', {}, effectSentence(reliability.effect)),
    ),
  ];
}

/**
 * @param {Analysis} analysis Of the model.
 * @returns {HTMLElement[]} What was tried to tell foreign images.
 */
function abstentionSection({ abstention }) {
  if (!abstention) return [];
  const rows = abstention.trials.map((trial, index) => [
    index === 0 ? `${SCORES[trial.score] ?? trial.score} (in use)` : SCORES[trial.score],
    percent(trial.auroc),
    percent(trial.passed),
  ]);
  const head = ['Told by', 'In the right order', 'Foreign images that pass'];
  return [
    section(
      'Does it notice what is none of its classes?',
      'abstention-section',
      h(
        'p',
        {},
        `Tried on ${count(abstention.background_count)} images of “${abstention.label}” that were held ` +
          `out, where ${percent(abstention.coverage, 0)} of known images pass. Of foreign images ` +
          'unlike these, more may pass.',
      ),
      plainTable('Scores', head, rows, 'abstention'),
    ),
  ];
}
