/**
 * The form that makes a dataset.
 */
import { h } from '../lib/dom.js';
import { createDataset } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { messagePlace, runAction } from './notices.js';

/**
 * @returns {HTMLElement} The form that makes a dataset and goes there.
 */
export function newDatasetForm() {
  const input = h('input', {
    required: true,
    maxlength: 100,
    placeholder: 'bears',
    'data-testid': 'dataset-name',
  });
  const message = messagePlace();
  const button = h('button', { class: 'button', 'data-testid': 'create-dataset' }, 'Create');
  const importing = h(
    'button',
    { class: 'button small', value: 'import', 'data-testid': 'create-and-import' },
    'Create, and import into it…',
  );
  const create = async (/** @type {string} */ page) => {
    const dataset = await createDataset({ name: input.value.trim() });
    location.hash = hashFor(page, dataset.id);
  };
  return h(
    'form',
    {
      class: 'stack',
      onsubmit: (event) => {
        event.preventDefault();
        const isImport = event instanceof SubmitEvent && event.submitter === importing;
        const page = isImport ? 'datasets/import' : 'datasets';
        void runAction(isImport ? importing : button, message, () => create(page));
      },
    },
    h('label', { class: 'field' }, 'New dataset', h('div', { class: 'row' }, input, button)),
    h('div', {}, importing),
    message,
  );
}
