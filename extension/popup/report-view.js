/** The report of a page that could not be read well: shown, then copied if the person wants to. */
import { clientName } from '../lib/browser.js';
import { language, text } from '../lib/text.js';
import { make } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').PageReport} PageReport */

const BROWSER_VERSION = /(?:Firefox|Chrome)\/[\d.]+/;

/**
 * Offer a report.
 *
 * @param {PageReport} report What the page told of its structure.
 * @returns {HTMLDetailsElement} A disclosure with the text, and a button that copies it.
 */
export function makeReportView(report) {
  const words = writeReport(report);
  const area = make('pre', {
    'data-testid': 'report',
    tabindex: '0',
    'aria-label': text('reportText'),
  });
  area.textContent = words;
  const status = make('span', { role: 'status' });
  const copy = make('button', { type: 'button' }, text('reportCopy'));
  copy.dataset['testid'] = 'copy-report';
  copy.addEventListener('click', () => {
    void navigator.clipboard.writeText(words).then(
      () => (status.textContent = text('reportCopied')),
      () => (status.textContent = text('reportNotCopied')),
    );
  });
  return make(
    'details',
    { class: 'report', 'data-testid': 'report-view' },
    make('summary', {}, text('reportTitle')),
    make('p', {}, text('reportWhat')),
    area,
    copy,
    ' ',
    status,
  );
}

/**
 * Write a report down, with what the browser and this extension are.
 *
 * @param {PageReport} report What the page told of its structure.
 * @returns {string} JSON.
 */
function writeReport(report) {
  const [browser = null] = BROWSER_VERSION.exec(navigator.userAgent) ?? [];
  const about = { extension: clientName(), browser, language: language() };
  // What a reader looks for first; on their way from the page, browsers sort the names.
  const { site, state, page, counts, ...rest } = report;
  return JSON.stringify({ ...about, site, state, page, counts, ...rest }, null, 2);
}
