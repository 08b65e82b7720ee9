/**
 * What became of a dataset's models, and the way back to the one that answered before.
 */
import { h, replace } from '../lib/dom.js';
import { STAGES } from '../lib/explain.js';
import { timeElement } from '../lib/format.js';
import { listRollouts, listStageChanges, rollBack } from '../lib/resources.js';
import { DECISIONS } from '../lib/rollout-words.js';
import { hashFor } from '../lib/router.js';
import { confirmDialog } from './dialogs.js';
import { messagePlace, runAction, toast } from './notices.js';

/** @typedef {import('../lib/types.js').StageChange} StageChange */
/** @typedef {import('../lib/types.js').Model} Model */
/** @typedef {import('../lib/types.js').Rollout} Rollout */

/** Those of some weeks; the rest is for `bowerbird model history`. */
const SHOWN = 8;

/** @type {Set<string>} What leaves a stage as it is: the others are changes themselves. */
const DECIDED = new Set(['wait', 'widen', 'propose']);

/** @type {Record<StageChange['kind'], string>} */
const KINDS = {
  first: '',
  chosen: '',
  forced: ' against the comparison',
  rollback: ' by going back',
  rule: ' by rule',
};

/**
 * @param {StageChange} change One move.
 * @param {string} here The model whose page this is.
 * @returns {HTMLElement} When, which model, where to, and why.
 */
function changeItem(change, here) {
  const sentence = change.comparison?.sentence;
  const isRule = change.kind === 'rule';
  return h(
    'li',
    { class: 'stack tight' },
    h(
      'span',
      {},
      modelName(change.model_id, here),
      change.before === change.after ? ' began anew as ' : ' became ',
      `${STAGES[change.after].title.toLowerCase()}${KINDS[change.kind]} `,
      timeElement(change.created_at),
    ),
    change.reason &&
      h('span', { class: 'muted small' }, isRule ? change.reason : `“${change.reason}”`),
    typeof sentence === 'string' && h('span', { class: 'muted small' }, sentence),
  );
}

/**
 * @param {string} id Which model.
 * @param {string} here The model whose page this is.
 * @returns {HTMLElement} Its name: they have no other.
 */
function modelName(id, here) {
  return id === here
    ? h('strong', {}, 'This model')
    : h('a', { href: hashFor('models', id) }, 'Another model');
}

/**
 * @param {Rollout} rollout Of which model.
 * @param {string} here The model whose page this is.
 * @returns {{at: string, node: HTMLElement}[]} What was decided of it that left its stage as it was.
 */
function decisionItems(rollout, here) {
  return rollout.decisions
    .filter((one) => DECIDED.has(one.kind))
    .map((one) => ({
      at: one.created_at,
      node: h(
        'li',
        { class: 'stack tight' },
        h(
          'span',
          {},
          modelName(rollout.model_id, here),
          ` beside the live one: ${DECISIONS[one.kind].toLowerCase()} `,
          timeElement(one.created_at),
        ),
        h('span', { class: 'muted small' }, one.sentence),
      ),
    }));
}

/**
 * @param {StageChange[]} changes Newest first.
 * @param {string} here The model whose page this is.
 * @returns {boolean} Whether it is live in the place of another, so that there may be a way back.
 */
function hasFormer(changes, here) {
  const last = changes.find((change) => change.model_id === here);
  return last?.after === 'live' && last.replaced_id !== null;
}

/**
 * @param {Model} model Which one.
 * @param {AbortSignal} signal Of the page.
 * @returns {{node: HTMLElement, refresh: () => Promise<void>}} The trail, which reads itself once.
 */
export function stageTrail(model, signal) {
  const place = h('div', { class: 'stack tight' });
  const message = messagePlace();
  const goBack = async () => {
    const isSure = await confirmDialog(
      {
        title: 'Go back to the former model?',
        text: 'The model that was live before this one answers again, at once and everywhere. This one is kept.',
        yes: 'Go back',
      },
      signal,
    );
    if (!isSure) return;
    const former = await rollBack(model.dataset_id);
    toast('The former model is live again.');
    location.hash = hashFor('models', former.id);
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button',
      'data-testid': 'roll-back',
      onclick: () => void runAction(button, message, goBack),
    },
    'Go back to the former model',
  );
  const look = async () => {
    const { items } = await listStageChanges(model.dataset_id, { limit: SHOWN }, signal);
    const rollouts = await listRollouts(model.dataset_id, { limit: SHOWN }, signal);
    const all = [
      ...items.map((item) => ({ at: item.created_at, node: changeItem(item, model.id) })),
      ...rollouts.items.flatMap((rollout) => decisionItems(rollout, model.id)),
    ].sort((one, other) => other.at.localeCompare(one.at));
    replace(
      place,
      all.length === 0
        ? h('p', { class: 'muted' }, 'No model of this dataset has changed its stage yet.')
        : h('ol', { class: 'plain stack' }, ...all.slice(0, SHOWN).map(({ node }) => node)),
      hasFormer(items, model.id) && button,
      message,
    );
  };
  const refresh = () => runAction(button, message, look);
  place.append(message);
  void refresh();
  const title = h('h2', {}, 'What became of the models');
  const node = h('section', { class: 'card stack', 'data-testid': 'stage-trail' }, title, place);
  return { node, refresh };
}
