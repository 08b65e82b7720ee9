/**
 * A model beside the live one: begin, see what was compared and decided, and stop.
 */
import { h, picture, replace } from '../lib/dom.js';
import { percent, plural, timeElement } from '../lib/format.js';
import {
  listDisagreements,
  listModels,
  listRollouts,
  predictionFileUrl,
  stageModel,
  startRollout,
} from '../lib/resources.js';
import { DECISIONS, rolloutFacts, rulesOf } from '../lib/rollout-words.js';
import { factList } from './facts.js';
import { messagePlace, runAction, toast } from './notices.js';

/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/types.js').Stage} Stage */
/** @typedef {import('../lib/types.js').Rollout} Rollout */
/** @typedef {import('../lib/types.js').Disagreement} Disagreement */

/** Of the dataset's: those of some weeks, this model's among them. */
const LOOKED_AT = 50;
const AUTO = 'Let it go further by itself when nothing speaks against it';
/** A few rows beside the page; the API has all. */
const SHOWN = 12;

/**
 * @param {string} stage Which.
 * @param {string} title What it is called.
 * @param {string} text What it does.
 * @param {() => void} onChoose Told when it is chosen.
 * @returns {HTMLElement} A radio button.
 */
function stageChoice(stage, title, text, onChoose) {
  return h(
    'label',
    { class: 'check' },
    h('input', {
      type: 'radio',
      name: 'beside-stage',
      value: stage,
      checked: stage === 'shadow',
      'data-testid': `beside-${stage}`,
      onchange: onChoose,
    }),
    h('span', {}, h('strong', {}, title), ' ', h('span', { class: 'muted small' }, text)),
  );
}

/**
 * @param {(stage: 'shadow' | 'limited') => void} choose Told which.
 * @returns {HTMLElement} Both ways.
 */
function stageChoices(choose) {
  return h(
    'fieldset',
    { class: 'stack tight bare' },
    h('legend', { class: 'visually-hidden' }, 'How'),
    stageChoice('shadow', 'Shadow', 'Asked the same, answers nobody.', () => choose('shadow')),
    stageChoice('limited', 'Limited', 'Answers some.', () => choose('limited')),
  );
}

/**
 * @param {Model} model Which one.
 * @param {(stage: Stage) => void} onChange Told when it has begun.
 * @returns {HTMLElement} The form that lets a model go beside the live one.
 */
function startForm(model, onChange) {
  const message = messagePlace();
  const share = h('input', {
    type: 'number',
    min: 0,
    max: 100,
    step: 'any',
    value: '5',
    required: true,
    'data-testid': 'beside-share',
  });
  const sites = h('input', {
    maxlength: 2000,
    placeholder: 'shop.example, blog.example',
    'data-testid': 'beside-sites',
  });
  const auto = h('input', { type: 'checkbox', 'data-testid': 'beside-auto' });
  const button = h('button', { class: 'button', 'data-testid': 'beside-start' }, 'Begin');
  const limits = h(
    'div',
    { class: 'stack tight', hidden: true },
    h('label', { class: 'field' }, 'Share of the clients, in %', share),
    h('label', { class: 'field' }, 'Sites whose images it answers', sites),
  );
  /** @type {'shadow' | 'limited'} */
  let chosen = 'shadow';
  const choose = (/** @type {'shadow' | 'limited'} */ stage) => {
    chosen = stage;
    limits.hidden = stage === 'shadow';
  };
  const begin = async () => {
    const fields = { stage: chosen, share: share.value, sites: sites.value, isAuto: auto.checked };
    const now = await startRollout(model.id, chosen, rulesOf(fields));
    onChange(now.stage);
  };
  return h(
    'form',
    {
      class: 'stack tight',
      onsubmit: (event) => {
        event.preventDefault();
        void runAction(button, message, begin);
      },
    },
    stageChoices(choose),
    limits,
    h('label', { class: 'check' }, auto, h('span', {}, AUTO)),
    h('div', { class: 'row' }, button),
    message,
  );
}

/**
 * @param {Rollout} rollout Which one.
 * @returns {HTMLElement} What was decided, newest first.
 */
function decisionList({ decisions }) {
  return h(
    'ol',
    { class: 'plain stack', 'data-testid': 'beside-decisions' },
    ...decisions
      .slice(0, SHOWN)
      .map((one) =>
        h(
          'li',
          { class: 'stack tight' },
          h('span', {}, h('strong', {}, DECISIONS[one.kind]), ' ', timeElement(one.created_at)),
          h('span', { class: 'muted small' }, one.sentence),
        ),
      ),
  );
}

/**
 * @param {string} who Which model.
 * @param {string} label What it said.
 * @param {number} probability How surely, 0 to 1.
 * @param {boolean} abstained Whether it held back.
 * @returns {HTMLElement} One answer.
 */
function said(who, label, probability, abstained) {
  const quiet = abstained ? ', abstained' : '';
  return h('span', {}, `${who}: `, h('strong', {}, label), ` ${percent(probability, 0)}${quiet}`);
}

/**
 * @param {Disagreement} one Of both models.
 * @returns {HTMLElement} What each said, with the image where it is kept.
 */
function disagreementItem(one) {
  const image = one.prediction_id && predictionFileUrl(one.prediction_id);
  return h(
    'li',
    { class: 'disagreement' },
    image && picture(image, `Live: ${one.live_label}, this one: ${one.model_label}`),
    h(
      'div',
      { class: 'stack tight small' },
      said('Live', one.live_label, one.live_probability, one.live_abstained),
      said('This one', one.model_label, one.model_probability, one.model_abstained),
    ),
  );
}

/**
 * @param {Rollout} rollout Which one.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<HTMLElement | null>} Where both differ; null when they do not.
 */
async function differences(rollout, signal) {
  const { items, total } = await listDisagreements(rollout.id, { limit: SHOWN }, signal);
  if (total === 0) return null;
  return h(
    'details',
    { class: 'stack tight', 'data-testid': 'beside-differences' },
    h('summary', {}, `${plural(total, 'disagreement')} kept`),
    h('ul', { class: 'plain stack tight' }, ...items.map(disagreementItem)),
  );
}

/**
 * @param {Rollout} rollout This model's newest.
 * @param {HTMLElement | null} button That stops it; null when it has ended.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<(HTMLElement | null)[]>} What was compared and decided.
 */
async function report(rollout, button, signal) {
  return [
    h('p', { 'data-testid': 'beside-state' }, STATES[rollout.outcome ?? rollout.stage]),
    factList(rolloutFacts(rollout)),
    button && h('div', { class: 'row' }, button),
    h('h3', {}, 'Decisions'),
    decisionList(rollout),
    await differences(rollout, signal),
  ];
}

/**
 * @param {Model} model Which one.
 * @param {Model | undefined} live The dataset's live one.
 * @param {Rollout[]} rollouts Of the dataset.
 * @returns {string | null} Why it cannot go beside the live model; null when it can.
 */
function whyNot(model, live, rollouts) {
  if (!live) return 'No model is live, so there is nothing to compare with.';
  if (live.id !== model.id) return null;
  return rollouts.some((one) => one.outcome === null)
    ? 'This is the live model. Another one runs beside it.'
    : 'This is the live model. Open another one to let it run beside this.';
}

/**
 * @param {Model} model Which one.
 * @param {(stage: Stage) => void} onStage Told when the panel has changed its stage.
 * @param {AbortSignal} signal Of the page.
 * @returns {{node: HTMLElement, refresh: () => Promise<void>}} The panel, which reads itself once.
 */
export function besidePanel(model, onStage, signal) {
  const place = h('div', { class: 'stack tight' });
  const message = messagePlace();
  const changed = (/** @type {Stage} */ stage) => {
    onStage(stage);
    void refresh();
  };
  const stop = async () => {
    changed((await stageModel(model.id, 'candidate')).stage);
    toast('The model is a candidate again.');
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button',
      'data-testid': 'beside-stop',
      onclick: () => void runAction(button, message, stop),
    },
    'Stop',
  );
  const look = async () => {
    const found = await listRollouts(model.dataset_id, { limit: LOOKED_AT }, signal);
    const query = { dataset: model.dataset_id, stage: 'live', limit: 1 };
    const live = (await listModels(query, signal)).items[0];
    const own = found.items.find((one) => one.model_id === model.id);
    const goesOn = own?.outcome === null;
    const why = goesOn ? null : whyNot(model, live, found.items);
    replace(
      place,
      ...(own ? await report(own, goesOn ? button : null, signal) : []),
      why && h('p', { class: 'muted' }, why),
      !goesOn && !why && startForm(model, changed),
      message,
    );
  };
  const refresh = () => runAction(button, message, look);
  place.append(message);
  void refresh();
  const title = h('h2', {}, 'Beside the live model');
  const node = h('section', { class: 'card stack', 'data-testid': 'beside' }, title, place);
  return { node, refresh };
}

/** @type {Record<Rollout['stage'] | NonNullable<Rollout['outcome']>, string>} */
const STATES = {
  shadow: 'It is asked what the live model is asked; nobody sees its answers.',
  limited: 'It answers some, and the live model is asked the same.',
  promoted: 'It was let further out.',
  'rolled-back': 'It was called back by a rule.',
  stopped: 'It was stopped.',
  replaced: 'It ended when the live model was changed.',
};
