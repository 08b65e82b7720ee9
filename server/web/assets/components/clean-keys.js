/**
 * The keys of the cleaner: what each stroke means there, and a button for each answer.
 */
import { h, replace } from '../lib/dom.js';
import { commandFor } from '../lib/keymap.js';
import { keyButton, labelButtons } from './label-keys.js';

/** @typedef {import('../lib/keymap.js').Command} Command */
/** @typedef {import('./labelling.js').Labelling} Labelling */

/** Labels that fit as large buttons. */
const MANY = 9;

/** Ways to go without an answer. @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity };
/** Commands that the cleaner knows. @type {Set<Command['name']>} */
const KNOWN = new Set([
  'label',
  'keep',
  'exclude',
  'review',
  'undo',
  'redo',
  'open',
  'help',
  'search',
]);

/**
 * @param {KeyboardEvent} event Outside of fields and dialogs.
 * @param {Map<string, string>} labelKeys The label of each key.
 * @returns {Command | number | null} What to do, or how many images to go on; null when the key is the browser's.
 */
export function meaningOf(event, labelKeys) {
  const step = STEPS[event.key];
  if (step !== undefined) {
    const isHeld = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    return isHeld ? null : step;
  }
  const command = commandFor(event, labelKeys);
  if (!command || !KNOWN.has(command.name)) return null;
  return command.name === 'open' && isControl(event.target) ? null : command;
}

/**
 * @param {EventTarget | null} target Where a key was pressed.
 * @returns {boolean} Whether Enter presses something there.
 */
function isControl(target) {
  return target instanceof Element && target.closest('a, button, summary') !== null;
}

/**
 * @param {Labelling} labelling Whose labels.
 * @param {(command: Command) => void} run Told what was pressed.
 * @param {AbortSignal} signal Of the view.
 * @returns {HTMLElement} A button for each key; they follow keys that are chosen anew.
 */
export function cleanButtons(labelling, run, signal) {
  const node = h('div', { class: 'clean-keys', role: 'group', 'aria-label': 'Keys' });
  const button = (
    /** @type {string} */ key,
    /** @type {string} */ text,
    /** @type {import('../lib/keymap.js').CommandName} */ name,
  ) =>
    keyButton(key, text, {
      class: 'button clean-key',
      'data-testid': `key-${key.toLowerCase()}`,
      onclick: () => run({ name }),
    });
  const onLabel = (/** @type {string} */ label) => run({ name: 'label', label });
  const draw = () =>
    replace(
      node,
      button('K', 'Keep', 'keep'),
      button('X', 'Exclude', 'exclude'),
      button('U', 'Undo', 'undo'),
      ...labelButtons(labelling, labelStyle(labelling.keys.size), onLabel),
      labelling.keys.size < labelling.labels.length && labelChoice(labelling.labels, onLabel),
      button('?', 'All keys', 'help'),
    );
  draw();
  labelling.listen({ onKeys: draw }, signal);
  return node;
}

/**
 * @param {number} count How many labels have a key.
 * @returns {string} Class names of their buttons: small where there are many, so that all are seen beside the picture.
 */
const labelStyle = (count) => `button clean-key label-tag ${count > MANY ? 'small' : ''}`;

/**
 * @param {string[]} labels All labels.
 * @param {(label: string) => void} onLabel Told which was chosen.
 * @returns {HTMLSelectElement} The choice of labels, where there are more of them than keys.
 */
function labelChoice(labels, onLabel) {
  const select = h(
    'select',
    {
      'aria-label': 'Another label',
      onchange: () => {
        const label = select.value;
        select.value = '';
        select.blur(); // The next key is meant for the image.
        onLabel(label);
      },
    },
    h('option', { value: '' }, 'Another label…'),
    ...labels.map((name) => h('option', { value: name }, name)),
  );
  return select;
}
