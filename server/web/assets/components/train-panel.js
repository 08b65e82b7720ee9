/**
 * The Train button: snapshot, then job, then its page; what is in the way is said beside the button.
 */
import { h, replace } from '../lib/dom.js';
import { Problem } from '../lib/api.js';
import { explainError } from '../lib/explain.js';
import { count, plural } from '../lib/format.js';
import { createJob, createSnapshot } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { messagePlace, runAction } from './notices.js';
import { recipeChoice } from './recipe-choice.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */

/** Fewer teach little; the server's own limit is lower. */
const FEW = 20;

/**
 * @param {Dataset} dataset With its counts.
 * @returns {string} What a training would see, and what would make it better.
 */
export function trainingAdvice(dataset) {
  const labels = Object.entries(dataset.counts.labels).filter(([, label]) => label.ready > 0);
  const total = dataset.counts.status.ready;
  if (labels.length < 2) return 'Training needs ready images under at least two labels.';
  const [name, least] = labels.reduce((a, b) => (b[1].ready < a[1].ready ? b : a));
  const waiting = dataset.counts.status.queued + dataset.counts.status.downloading;
  const parts = [`${plural(total, 'ready image')} under ${plural(labels.length, 'label')}.`];
  if (waiting > 0) parts.push(`${count(waiting)} are still on the way.`);
  if (least.ready < FEW) {
    parts.push(`“${name}” has only ${count(least.ready)}: more would help most there.`);
  }
  return parts.join(' ');
}

/**
 * @param {unknown} error Why there is no job.
 * @param {string} datasetId Where its images are.
 * @returns {(Node | string)[]} A sentence, with links to the images that it names.
 */
export function explainRefusal(error, datasetId) {
  const ids = error instanceof Problem ? error.members['image_ids'] : null;
  const shown = Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  if (shown.length === 0) return [explainError(error)];
  const names = shown.length === 1 ? ['the image'] : ['the first', 'the second'];
  const links = shown
    .slice(0, names.length)
    .flatMap((id, index) => [
      index === 0 ? ' See ' : ' and ',
      h('a', { href: hashFor('images', id, { dataset: datasetId }) }, names[index]),
    ]);
  return [explainError(error), ...links, '.'];
}

/**
 * @param {HTMLElement} backbone The choice of one.
 * @returns {{node: HTMLElement, read: () => {valid_ratio: number, seed: number}}} The choices that few need.
 */
function options(backbone) {
  const ratio = h('input', { type: 'number', min: 5, max: 50, step: 1, value: 20, required: true });
  const seed = h('input', {
    type: 'number',
    min: 0,
    max: 4294967295,
    step: 1,
    value: 42,
    required: true,
  });
  const node = h(
    'details',
    {},
    h('summary', {}, 'Options'),
    h(
      'div',
      { class: 'stack tight' },
      backbone,
      h('label', { class: 'field' }, 'Kept for validation, in %', ratio),
      h('label', { class: 'field' }, 'Seed of the split', seed),
      h(
        'p',
        { class: 'muted small' },
        'Keep these two, and every training is judged on the same images.',
      ),
    ),
  );
  return {
    node,
    read: () => ({ valid_ratio: ratio.valueAsNumber / 100, seed: seed.valueAsNumber }),
  };
}

/**
 * @param {Dataset} dataset Which one.
 * @returns {{node: HTMLElement, update: (dataset: Dataset) => void}} The panel; `update` follows the counts.
 */
export function trainPanel(dataset) {
  const message = messagePlace();
  const advice = h('p', { class: 'muted' });
  const recipe = recipeChoice((verb) => (button.textContent = verb));
  const choices = options(recipe.backbone);
  const button = h(
    'button',
    { class: 'button primary wide', 'data-testid': 'train-button' },
    'Train',
  );
  const start = async () => {
    const snapshot = await createSnapshot(dataset.id, choices.read());
    const job = await createJob(snapshot.id, recipe.read());
    location.hash = hashFor('jobs', job.id);
  };
  const node = h(
    'section',
    { class: 'card' },
    h('h2', {}, 'Train a model'),
    h(
      'form',
      {
        class: 'stack tight',
        onsubmit: (event) => {
          event.preventDefault();
          void runAction(button, message, start, (error) => explainRefusal(error, dataset.id));
        },
      },
      advice,
      recipe.node,
      button,
      message,
      choices.node,
    ),
  );
  const update = (/** @type {Dataset} */ now) => {
    const text = trainingAdvice(now);
    // What was in the way may be gone once the counts are others.
    if (text !== advice.textContent) replace(message);
    advice.textContent = text;
  };
  update(dataset);
  return { node, update };
}
