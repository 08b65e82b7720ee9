/** The popup's filters: which of the images that the page holds are offered at all. */
import { NO_FILTERS, passes } from '../lib/filters.js';
import { send } from '../lib/send.js';
import { formatNumber, text } from '../lib/text.js';
import { byId } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('../lib/types.js').Filters} Filters */

/** Runs the two selects, and the count that shows what they do even while they are folded away. */
export class FilterBar {
  /** @param {() => void} onChange Told when the person changes a filter. */
  constructor(onChange) {
    this.onChange = onChange;
    this.bar = byId('filters', HTMLElement);
    this.result = byId('filter-count', HTMLElement);
    this.minSide = byId('filter-size', HTMLSelectElement);
    this.shape = byId('filter-shape', HTMLSelectElement);
    this.bar.addEventListener('change', () => this.#remember());
  }

  /** @returns {Filters} What is chosen. */
  get filters() {
    return {
      min_side_px: Number(this.minSide.value),
      shape: /** @type {Filters['shape']} */ (this.shape.value),
    };
  }

  /** Let everything through, as if the person had chosen that. */
  clear() {
    this.show(NO_FILTERS);
    this.#remember();
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
    const counts = [passing.length, candidates.length].map(formatNumber);
    const parts = [text('filterFit', ...counts)];
    if (unknown.length > 0) parts.push(text('filterUnknown', formatNumber(unknown.length)));
    this.result.textContent = isActive && candidates.length > 0 ? parts.join(', ') : '';
    this.bar.hidden = candidates.length === 0;
  }

  /** Remember the choice for other pages. */
  #remember() {
    void send('set-filters', { filters: this.filters });
    this.onChange();
  }
}
