/**
 * What a person can change of an image: its label, whether training sees it, whether it has been looked at.
 */
import { h, replaceUnderKeyboard, spoken } from '../lib/dom.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/keymap.js').Command} Command */

/**
 * @param {Image} image As it is.
 * @param {string[]} labels All labels of the dataset.
 * @param {(command: Command) => void} onCommand Told what was asked for: the same as by the keys.
 * @returns {HTMLElement} The label's choice, the exclusion's button and the review's.
 */
export function imageControls(image, labels, onCommand) {
  const select = h(
    'select',
    { 'data-testid': 'relabel', onchange: () => onCommand({ name: 'label', label: select.value }) },
    image.label === null && h('option', { value: '', selected: true, disabled: true }, 'no label'),
    ...labels.map((name) => h('option', { value: name, selected: name === image.label }, name)),
  );
  return h(
    'div',
    { class: 'row' },
    h('label', { class: 'field inline' }, spoken('Label'), select),
    toggle(image.excluded ? 'Include again' : 'Exclude', image.excluded, 'exclude', 'X', () =>
      onCommand({ name: 'exclude' }),
    ),
    toggle('Reviewed', image.reviewed_at !== null, 'review', 'R', () =>
      onCommand({ name: 'review' }),
    ),
  );
}

/**
 * Draw a place with such controls anew; the one that had the keyboard keeps it, but for the choice of labels, which
 * would swallow the keys.
 * @param {HTMLElement} place Emptied first.
 * @param {...import('../lib/dom.js').Child} children Its new content.
 */
export function replaceControls(place, ...children) {
  replaceUnderKeyboard(place, ...children);
  const [choice, next] = ['relabel', 'exclude'].map(
    (testId) => /** @type {HTMLElement | null} */ (place.querySelector(`[data-testid=${testId}]`)),
  );
  if (choice && choice === document.activeElement) next?.focus();
}

/**
 * @param {string} text On it.
 * @param {boolean} isOn Whether it is pressed in.
 * @param {string} testId For tests.
 * @param {string} key Does the same.
 * @param {() => void} onclick Told of a press.
 * @returns {HTMLButtonElement} A button that is on or off.
 */
function toggle(text, isOn, testId, key, onclick) {
  return h(
    'button',
    {
      type: 'button',
      class: isOn ? 'button primary' : 'button',
      'aria-pressed': String(isOn),
      'data-testid': testId,
      onclick,
    },
    `${text} `,
    h('kbd', {}, key),
  );
}
