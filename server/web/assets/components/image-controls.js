/**
 * What a person can change of an image: its label, and whether training sees it.
 */
import { h, spoken } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { changeImage } from '../lib/resources.js';
import { toast } from './notices.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/types.js').ImageChange} ImageChange */

/**
 * Change an image and say so, with a way back.
 * @param {Image} image As it is.
 * @param {ImageChange} change What to change.
 * @param {(image: Image) => void} onChange Told of the new state.
 */
export async function applyChange(image, change, onChange) {
  try {
    const now = { ...image, ...(await changeImage(image.id, change)) };
    onChange(now);
    const isExclusion = change.excluded !== undefined;
    const text = isExclusion
      ? change.excluded
        ? 'Excluded: training will not see it.'
        : 'Included again.'
      : `Labelled ${now.label ?? ''}.`;
    const back = isExclusion
      ? { excluded: image.excluded }
      : image.label
        ? { label: image.label }
        : null;
    toast(text, back && { label: 'Undo', run: () => void applyChange(now, back, onChange) });
  } catch (error) {
    toast(explainError(error));
  }
}

/**
 * @param {Image} image As it is.
 * @param {string[]} labels All labels of the dataset.
 * @param {(change: ImageChange) => void} onChange Told what to change.
 * @returns {HTMLElement} The label's choice and the exclusion's button.
 */
export function imageControls(image, labels, onChange) {
  const select = h(
    'select',
    { 'data-testid': 'relabel', onchange: () => onChange({ label: select.value }) },
    image.label === null && h('option', { value: '', selected: true, disabled: true }, 'no label'),
    ...labels.map((name) => h('option', { value: name, selected: name === image.label }, name)),
  );
  const exclude = h(
    'button',
    {
      type: 'button',
      class: image.excluded ? 'button primary' : 'button',
      'aria-pressed': String(image.excluded),
      'data-testid': 'exclude',
      onclick: () => onChange({ excluded: !image.excluded }),
    },
    image.excluded ? 'Include again ' : 'Exclude ',
    h('kbd', {}, 'X'),
  );
  return h(
    'div',
    { class: 'row' },
    h('label', { class: 'field inline' }, spoken('Label'), select),
    exclude,
  );
}
