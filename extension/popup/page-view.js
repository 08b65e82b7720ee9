/** What the page holds: the middle of the Capture tab, with the images to choose from. */
import { BowerbirdError, messageOf } from '../lib/errors.js';
import { passes } from '../lib/filters.js';
import { describePage } from '../lib/page-words.js';
import { send } from '../lib/send.js';
import { text } from '../lib/text.js';
import { byId, make, notify } from '../ui/dom.js';
import { CandidateGrid } from './candidate-grid.js';
import { FilterBar } from './filter-bar.js';
import { PermissionNotice } from './permission-notice.js';
import { makeReportView } from './report-view.js';

/** @typedef {import('../lib/types.js').PageScan} PageScan */

/** Reads the page, says what it holds, and lets the person choose. */
export class PageView {
  /**
   * @param {object} told Whom to tell.
   * @param {() => void} told.onChoice The choice has changed.
   * @param {() => void} told.onRead The page was read again.
   */
  constructor({ onChoice, onRead }) {
    /** @type {PageScan | null} */
    this.scan = null;
    this.summary = byId('page-summary', HTMLElement);
    this.notice = byId('page-notice', HTMLElement);
    this.filteredNotice = byId('filtered-notice', HTMLElement);
    this.grid = new CandidateGrid(byId('candidates', HTMLElement), onChoice);
    this.filters = new FilterBar(() => this.#filter());
    this.permission = new PermissionNotice(
      byId('permission-notice', HTMLElement),
      async (tabId) => {
        await this.read(tabId);
        onRead();
      },
    );
    this.#onChoose('choose-all', () => true);
    this.#onChoose('choose-none', () => false);
    this.#onChoose('choose-invert', (isChosen) => !isChosen);
    byId('unfilter', HTMLButtonElement).addEventListener('click', () => this.filters.clear());
  }

  /**
   * Scan the page and show what it holds.
   *
   * @param {number | null} tabId The browser tab to read.
   */
  async read(tabId) {
    this.summary.textContent = text('pageReading');
    try {
      if (tabId === null) throw new BowerbirdError('page-not-readable', text('pageNone'));
      this.#show(await send('scan-page', { tab_id: tabId }));
    } catch (error) {
      this.scan = null;
      this.summary.textContent = '';
      notify(this.notice, 'warn', messageOf(error));
    }
    this.grid.show(this.scan?.candidates ?? [], this.scan?.left_out_urls);
    byId('choose-buttons', HTMLElement).hidden = this.grid.count === 0;
    this.#filter();
    if (tabId !== null) await this.permission.check(tabId, this.scan);
  }

  /** @param {PageScan} scan What the page holds. */
  #show(scan) {
    this.scan = scan;
    const summary = describePage(scan);
    this.summary.textContent = summary.text;
    const report = scan.report === null ? [] : [makeReportView(scan.report)];
    const content = summary.note === null ? [] : [make('p', {}, summary.note), ...report];
    notify(this.notice, 'plain', ...content);
  }

  /** Show what passes the filters, and how many do. */
  #filter() {
    const { filters } = this.filters;
    this.grid.filter((candidate) => passes(candidate, filters));
    this.filters.count(this.scan?.candidates ?? []);
    this.filteredNotice.hidden = this.grid.count === 0 || this.grid.choice.shownCount > 0;
  }

  /**
   * Choose many at once.
   *
   * @param {string} id Id of the button.
   * @param {(isChosen: boolean) => boolean} decide New choice from the present one.
   */
  #onChoose(id, decide) {
    byId(id, HTMLButtonElement).addEventListener('click', () => this.grid.choose(decide));
  }
}
