/**
 * What an import did, or would do: counts, labels, and what is refused with its reason and path.
 */
import { h } from '../lib/dom.js';
import { count, plural } from '../lib/format.js';
import { explainEntry, importSentence, refusedByReason } from '../lib/import-words.js';
import { compareLabels, labelTag } from '../lib/labels.js';
import { saveButton } from './save-button.js';

/** @typedef {import('../lib/types.js').ImportReport} ImportReport */

/** Entries shown of each reason; the list that can be saved has them all. */
const SHOWN = 20;

/**
 * @param {ImportReport} report With its counts by label.
 * @returns {HTMLElement | null} How many images each label gets.
 */
function labelCounts({ labels }) {
  const names = Object.keys(labels).sort(compareLabels);
  if (names.length === 0) return null;
  return h(
    'section',
    { class: 'stack tight' },
    h('h3', {}, 'Labels'),
    h(
      'ul',
      { class: 'plain row', 'data-testid': 'import-labels' },
      ...names.map((name) =>
        h('li', { class: 'chip' }, labelTag(name || null, names), count(labels[name] ?? 0)),
      ),
    ),
    '' in labels &&
      h(
        'p',
        { class: 'muted small' },
        'What has no label can be given one in the dataset. Folders, a metadata.csv or a column “label” give labels by themselves.',
      ),
  );
}

/**
 * @param {string} reason Of all of them.
 * @param {ImportReport['refused']} entries Those that are listed.
 * @param {number} total How many there are.
 * @returns {HTMLElement} The reason, its entries folded below it.
 */
function refusedGroup(reason, entries, total) {
  const { title, text } = explainEntry(reason);
  const rest = total - Math.min(SHOWN, entries.length);
  return h(
    'details',
    { 'data-testid': `refused-${reason}` },
    h('summary', {}, h('strong', {}, title), ` · ${count(total)}`),
    text && h('p', {}, text),
    h(
      'ul',
      { class: 'plain small addresses' },
      ...entries
        .slice(0, SHOWN)
        .map(({ path, detail }) =>
          h('li', {}, path, h('br'), h('span', { class: 'muted' }, detail)),
        ),
      rest > 0 && h('li', { class: 'muted' }, `and ${count(rest)} more`),
    ),
  );
}

/**
 * @param {ImportReport} report With what was refused.
 * @returns {HTMLElement | null} By reason, with the whole list to save.
 */
function refusedList({ refused, refused_count, reasons, dry_run }) {
  if (refused_count === 0) return null;
  const lines = () =>
    refused.map(({ path, reason, detail }) => `${path}\t${reason}\t${detail}\n`).join('');
  return h(
    'section',
    { class: 'stack tight' },
    h('h3', {}, dry_run ? 'Would be refused' : 'Refused'),
    ...refusedByReason(refused).map(([reason, entries]) =>
      refusedGroup(reason, entries, reasons[reason] ?? entries.length),
    ),
    h('div', {}, saveButton('Save the whole list', 'refused.txt', lines)),
  );
}

/**
 * @param {ImportReport} report With what is here under another label.
 * @returns {HTMLElement | null} Both labels of each.
 */
function otherLabels({ other_label, other_label_count }) {
  if (other_label_count === 0) return null;
  const rest = other_label_count - Math.min(SHOWN, other_label.length);
  const name = (/** @type {string | null} */ label) => label ?? 'no label';
  return h(
    'details',
    {},
    h(
      'summary',
      {},
      `${plural(other_label_count, 'image')} here under another label, which is kept`,
    ),
    h(
      'ul',
      { class: 'plain small addresses' },
      ...other_label
        .slice(0, SHOWN)
        .map(({ path, label, kept }) =>
          h(
            'li',
            {},
            path,
            h('br'),
            h('span', { class: 'muted' }, `${name(label)}; kept: ${name(kept)}`),
          ),
        ),
      rest > 0 && h('li', { class: 'muted' }, `and ${count(rest)} more`),
    ),
  );
}

/**
 * @param {ImportReport} report From the server.
 * @returns {HTMLElement} All of it, the sentence first.
 */
export function importReport(report) {
  return h(
    'div',
    { class: 'stack', 'data-testid': 'import-report' },
    h('p', { class: 'lead', 'data-testid': 'import-sentence' }, importSentence(report)),
    report.skipped > 0 &&
      h(
        'p',
        { class: 'muted small' },
        `${plural(report.skipped, 'other file')} passed over: documents, and what systems leave behind.`,
      ),
    labelCounts(report),
    refusedList(report),
    otherLabels(report),
  );
}
