/**
 * What a person can change of an image: its label, whether training sees it, whether it has been looked at.
 */
import { h, spoken } from '../lib/dom.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/types.js').ImageChange} ImageChange */

/**
 * @param {Image} image As it is.
 * @param {string[]} labels All labels of the dataset.
 * @param {(change: ImageChange) => void} onChange Told what to change.
 * @returns {HTMLElement} The label's choice, the exclusion's button and the review's.
 */
export function imageControls(image, labels, onChange) {
  const select = h(
    'select',
    { 'data-testid': 'relabel', onchange: () => onChange({ label: select.value }) },
    image.label === null && h('option', { value: '', selected: true, disabled: true }, 'no label'),
    ...labels.map((name) => h('option', { value: name, selected: name === image.label }, name)),
  );
  const isReviewed = image.reviewed_at !== null;
  return h(
    'div',
    { class: 'row' },
    h('label', { class: 'field inline' }, spoken('Label'), select),
    toggle(image.excluded ? 'Include again' : 'Exclude', image.excluded, 'exclude', 'X', () =>
      onChange({ excluded: !image.excluded }),
    ),
    toggle('Reviewed', isReviewed, 'review', 'R', () => onChange({ reviewed: !isReviewed })),
  );
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
