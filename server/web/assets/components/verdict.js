/**
 * Under an answer: is it right? What is said waits in the inbox of the model's dataset.
 */
import { h, replace } from '../lib/dom.js';
import { giveFeedback } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { messagePlace, runAction } from './notices.js';

/** @typedef {import('../lib/types.js').Classification} Classification */
/** @typedef {{file: Blob} | {url: string}} Source */

const MAX_LABEL_CHARS = 100;

/**
 * @param {Classification} answer Of the model.
 * @param {(label: string | null) => Promise<void>} onSay Told what it is; null for none of the classes.
 * @returns {HTMLElement} The form that asks what it is instead.
 */
function correction({ label, abstained, predictions }, onSay) {
  const message = messagePlace();
  const others = predictions.map((one) => one.label).filter((one) => abstained || one !== label);
  const options = h(
    'datalist',
    { id: 'verdict-labels' },
    ...others.map((one) => h('option', { value: one })),
  );
  const input = h('input', {
    list: 'verdict-labels',
    maxlength: MAX_LABEL_CHARS,
    autocomplete: 'off',
    'data-testid': 'verdict-label',
  });
  const button = h('button', { class: 'button primary', 'data-testid': 'verdict-send' }, 'Send');
  const node = h(
    'form',
    {
      class: 'stack tight',
      onsubmit: (event) => {
        event.preventDefault();
        void runAction(button, message, () => onSay(input.value.trim() || null));
      },
    },
    h(
      'label',
      { class: 'field' },
      'What is it? Leave it empty when it is none of the classes, or you do not know.',
      h('div', { class: 'row' }, input, button),
    ),
    options,
    message,
  );
  return node;
}

/**
 * @param {Source} source What was asked about: it goes along, so that it can be learned from.
 * @param {Classification} answer Of the model.
 * @returns {HTMLElement} The question, and what came of it.
 */
export function verdictPanel(source, answer) {
  const predicted = answer.abstained ? null : answer.label;
  const message = messagePlace();
  const node = h('section', {
    class: 'stack tight',
    'aria-label': 'Feedback',
    'data-testid': 'verdict',
  });
  const say = async (/** @type {boolean} */ isRight, /** @type {string | null} */ label) => {
    await giveFeedback(source, { model_id: answer.model_id, is_right: isRight, predicted, label });
    const inbox = h('a', { href: hashFor('datasets/inbox', answer.dataset_id) }, 'the inbox');
    const thanks = h(
      'p',
      { tabindex: -1, 'data-testid': 'verdict-said' },
      'Thank you: it waits in ',
      inbox,
      '.',
    );
    replace(node, thanks);
    // The button that had the keyboard is gone.
    thanks.focus();
  };
  const right = h(
    'button',
    {
      type: 'button',
      class: 'button',
      'data-testid': 'verdict-right',
      onclick: () => void runAction(right, message, () => say(true, null)),
    },
    'Right',
  );
  const ask = () => {
    const form = correction(answer, (label) => say(false, label));
    replace(node, form);
    form.querySelector('input')?.focus();
  };
  const wrong = h(
    'button',
    { type: 'button', class: 'button', 'data-testid': 'verdict-wrong', onclick: ask },
    'Wrong, it is …',
  );
  const question = answer.abstained ? 'Is it none of the classes?' : 'Is that right?';
  replace(node, h('div', { class: 'row' }, h('span', {}, question), right, wrong), message);
  return node;
}
