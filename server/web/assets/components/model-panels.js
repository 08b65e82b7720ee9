/**
 * Beside a model: its stage, and how to use it.
 */
import { Problem } from '../lib/api.js';
import { h, replace } from '../lib/dom.js';
import { explainError, STAGES } from '../lib/explain.js';
import { bytes, duration, percent } from '../lib/format.js';
import { recipeTitle } from '../lib/recipes.js';
import { bundleUrl, stageModel } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { copyableLines } from './copyable.js';
import { factList, hashCode } from './facts.js';
import { messagePlace, runAction, toast } from './notices.js';

/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/types.js').Stage} Stage */

/** @type {{stage: Stage, title: string}[]} */
const MOVES = [
  { stage: 'live', title: 'Make live' },
  { stage: 'retired', title: 'Retire' },
];

/**
 * @param {(reason: string) => Promise<void>} force Lets the model go live.
 * @returns {HTMLElement} A form for who knows better than the comparison, which asks why.
 */
function forceForm(force) {
  const message = messagePlace();
  const reason = h('input', { required: true, maxlength: 500, 'data-testid': 'force-reason' });
  const button = h(
    'button',
    { class: 'button danger', 'data-testid': 'force-stage' },
    'Make it live all the same',
  );
  return h(
    'form',
    {
      class: 'stack tight',
      onsubmit: (event) => {
        event.preventDefault();
        void runAction(button, message, () => force(reason.value));
      },
    },
    h('label', { class: 'field' }, 'Why, for the record', reason),
    button,
    message,
  );
}

/**
 * @param {Model} model Which one.
 * @param {() => unknown} onChange Told when it has another stage.
 * @returns {HTMLElement} Its stage, and the buttons that change it.
 */
export function stagePanel(model, onChange) {
  const place = h('div', { class: 'stack tight' });
  const message = messagePlace();
  const forced = h('div');
  /** @type {(stage: Stage, reason?: string) => Promise<void>} */
  const change = async (stage, reason) => {
    const now = await stageModel(model.id, stage, reason);
    replace(forced);
    replace(message);
    draw(now.stage);
    onChange();
    toast(`The model is now ${STAGES[now.stage].title.toLowerCase()}.`);
  };
  const explain = (/** @type {unknown} */ error) => {
    if (error instanceof Problem && error.slug === 'model-worse') {
      replace(
        forced,
        forceForm((reason) => change('live', reason)),
      );
    }
    return [explainError(error)];
  };
  const draw = (/** @type {Stage} */ stage) => {
    const buttons = MOVES.filter((move) => move.stage !== stage).map((move) => {
      const button = h(
        'button',
        {
          type: 'button',
          class: move.stage === 'live' ? 'button primary' : 'button',
          'data-testid': `stage-${move.stage}`,
          onclick: () => void runAction(button, message, () => change(move.stage), explain),
        },
        move.title,
      );
      return button;
    });
    replace(
      place,
      h(
        'p',
        {},
        h(
          'span',
          { class: stage === 'live' ? 'badge good' : 'badge', 'data-testid': 'stage' },
          STAGES[stage].title,
        ),
      ),
      h('p', { class: 'muted' }, STAGES[stage].text),
      h('div', { class: 'row' }, ...buttons),
      message,
      forced,
    );
  };
  draw(model.stage);
  return h('section', { class: 'card' }, h('h2', {}, 'Stage'), place);
}

/**
 * @param {Model} model Which one.
 * @returns {HTMLElement} Try, download, and ask from elsewhere.
 */
export function modelUse(model) {
  const address = `${location.origin}/api/v1/classify?model=${model.id}`;
  const curl = [
    'curl',
    '-H "Authorization: Bearer $(cat data/token)"',
    '-F file=@photo.jpg',
    `'${address}'`,
  ].join(' \\\n  ');
  const { seconds, calibration_error: calibration, log_loss: loss } = model.metrics;
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, 'Use it'),
    h(
      'div',
      { class: 'row' },
      h('a', { class: 'button', href: hashFor('try', null, { model: model.id }) }, 'Try it'),
      h(
        'a',
        {
          class: 'button',
          href: bundleUrl(model.id),
          download: `${model.id}.zip`,
          'data-testid': 'bundle',
        },
        `Download (${bytes(model.bundle_bytes)})`,
      ),
    ),
    h(
      'p',
      { class: 'muted small' },
      'The download holds the ONNX model and all that inference needs.',
    ),
    h('h3', {}, 'From a terminal'),
    copyableLines(curl, 'the command'),
    h('h3', {}, 'Facts'),
    factList([
      ['Recipe', recipeTitle(model.recipe.kind)],
      ['Log loss', typeof loss === 'number' ? loss.toFixed(3) : null],
      ['Calibration error', typeof calibration === 'number' ? percent(calibration) : null],
      ['Trained in', typeof seconds === 'number' ? duration(seconds) : null],
      ['Bundle', hashCode(model.bundle_sha256)],
    ]),
  );
}
