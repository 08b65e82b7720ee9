/** The popup's filters: which of the images that the page holds are offered at all. */
import { NO_FILTERS, passes } from '../lib/filters.js';
import { send } from '../lib/send.js';
import { byId } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('../lib/types.js').Filters} Filters */

/** Runs the two selects and the count beside them. */
export class FilterBar {
  /** @param {() => void} onChange Told when the person changes a filter. */
  constructor(onChange) {
    this.bar = byId('filters', HTMLElement);
    this.minSide = byId('filter-size', HTMLSelectElement);
    this.shape = byId('filter-shape', HTMLSelectElement);
    this.bar.addEventListener('change', () => {
      void send('set-filters', { filters: this.filters });
      onChange();
    });
  }

  /** @returns {Filters} What is chosen. */
  get filters() {
    return {
      min_side_px: Number(this.minSide.value),
      shape: /** @type {Filters['shape']} */ (this.shape.value),
    };
  }

  /** @param {Filters} filters What to choose. */
  show({ min_side_px, shape }) {
    this.minSide.value = String(min_side_px);
    this.shape.value = shape;
    // Remembered by another version, which offered more: an unknown value chooses nothing.
    if (this.minSide.value === '') this.minSide.value = String(NO_FILTERS.min_side_px);
    if (this.shape.value === '') this.shape.value = NO_FILTERS.shape;
  }

  /**
   * Say how many pass.
   *
   * @param {Candidate[]} candidates What the page holds.
   */
  count(candidates) {
    const { filters } = this;
    const passing = candidates.filter((candidate) => passes(candidate, filters));
    const unknown = passing.filter(({ width, height }) => width === null || height === null);
    const isActive = filters.min_side_px > 0 || filters.shape !== NO_FILTERS.shape;
    const parts = [`${passing.length} of ${candidates.length} fit`];
    if (unknown.length > 0) parts.push(`${unknown.length} of unknown size`);
    byId('filter-count', HTMLElement).textContent = isActive ? parts.join(', ') : '';
    this.bar.hidden = candidates.length === 0;
    this.bar.dataset['active'] = String(isActive);
  }
}
