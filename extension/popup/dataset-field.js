/** The choice of a dataset, a new one included. */
import { text } from '../lib/text.js';
import { byId, make } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').Dataset} Dataset */

const NEW = 'new';

/** Runs the select and the name field that belongs to its last entry. */
export class DatasetField {
  /** @param {() => void} onChange Told when another dataset is chosen. */
  constructor(onChange) {
    this.select = byId('dataset', HTMLSelectElement);
    this.name = byId('new-dataset', HTMLInputElement);
    this.nameField = byId('new-dataset-field', HTMLElement);
    /** @type {Dataset[]} */
    this.datasets = [];
    this.select.addEventListener('change', () => {
      this.#showName();
      if (this.dataset === null) this.name.focus();
      onChange();
    });
  }

  /**
   * Offer the datasets.
   *
   * @param {Dataset[]} datasets What the server has.
   * @param {string | null} chosenId Which to choose, if it is among them.
   * @param {boolean} canCreate Whether a new one can be made now.
   */
  show(datasets, chosenId, canCreate) {
    this.datasets = datasets;
    const options = datasets.map(({ id, name }) => make('option', { value: id }, name));
    if (canCreate) options.push(make('option', { value: NEW }, text('datasetNew')));
    this.select.replaceChildren(...options);
    const chosen = datasets.find(({ id }) => id === chosenId) ?? datasets[0];
    this.select.value = chosen?.id ?? NEW;
    this.#showName();
  }

  /** @returns {boolean} Whether there is anything to choose: not before the server has answered. */
  get isOffered() {
    return this.select.options.length > 0;
  }

  /** @returns {Dataset | null} The chosen dataset; null for a new one. */
  get dataset() {
    return this.datasets.find(({ id }) => id === this.select.value) ?? null;
  }

  /** @returns {string} The name typed for a new dataset. */
  get newName() {
    return this.name.value.trim();
  }

  /** Show the name field for a new dataset alone. */
  #showName() {
    const isNew = this.select.value === NEW;
    this.nameField.hidden = !isNew;
    this.name.required = isNew;
    if (!isNew) this.name.value = '';
  }
}
