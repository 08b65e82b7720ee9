/**
 * What the server says of an import, in sentences: why a file or one of its entries is not taken, what it did.
 */
import { Problem } from './api.js';
import { explainError, explainReason } from './explain.js';
import { count, plural } from './format.js';

/** @typedef {import('./types.js').ImportReport} ImportReport */

/** What to do about a file that is refused as a whole; the server says what is wrong with it. @type {Record<string, string>} */
const ADVICE = {
  'not-an-archive': 'Choose a zip, a tar, a folder, or a CSV with the columns url and label.',
  'unsupported-archive': '',
  'damaged-archive': 'Fetch or pack it again.',
  'too-many-entries': '',
  'directory-too-large': 'Pack fewer files into one archive.',
  'unpacks-too-large': 'Unpack it, and import its folders one by one.',
  'overlapping-entries': 'Do not trust where it comes from.',
  'not-utf-8': 'Save the table as CSV UTF-8.',
  'line-too-long': 'Is it a table of addresses at all?',
  'broken-table': 'Mend that line, and try again.',
  'missing-columns': '',
};

/** Why one entry is not taken, beside the reasons of images. @type {Record<string, {title: string, text: string}>} */
const FLAWS = {
  'bad-name': {
    title: 'Unreadable name',
    text: 'The name is not UTF-8, or has characters that no file should.',
  },
  'name-too-long': { title: 'Name too long', text: 'Move it into fewer folders.' },
  'unsafe-path': {
    title: 'Unsafe path',
    text: 'The name leads out of the archive. Nothing is ever written there.',
  },
  'duplicate-name': {
    title: 'Name twice',
    text: 'The archive holds two files of this name; the first was taken.',
  },
  link: { title: 'A link', text: 'Links are not followed; put the image itself into the archive.' },
  'special-file': { title: 'Not a file', text: 'It is a device, a pipe or the like.' },
  encrypted: { title: 'Encrypted', text: 'Pack the archive without a password.' },
  'unsupported-compression': { title: 'Unknown compression', text: 'Pack it as an ordinary zip.' },
  'nested-archive': { title: 'An archive in the archive', text: 'Import it by itself.' },
  'lying-size': { title: 'Lies about its size', text: 'It unpacks to more than it says.' },
  damaged: { title: 'Damaged', text: 'It cannot be unpacked.' },
  'bad-label': {
    title: 'No usable label',
    text: 'Its folder or its row names none. A label has 1 to 100 characters.',
  },
  'not-an-image': {
    title: 'Not an image',
    text: 'It is something else, whatever its name says.',
  },
  'bad-row': { title: 'Unreadable row', text: 'It has no http address.' },
};

/**
 * @param {string} reason Why an entry is not taken.
 * @returns {{title: string, text: string}} What it means.
 */
export const explainEntry = (reason) => FLAWS[reason] ?? explainReason(reason);

/**
 * @param {unknown} error Why there is no report.
 * @returns {string} What to tell the person.
 */
export function explainImportError(error) {
  const said = explainError(error);
  if (!(error instanceof Problem) || error.slug !== 'import-refused') return said;
  const advice = ADVICE[String(error.members['kind'])] ?? '';
  return [said, advice, 'Nothing was added.'].filter(Boolean).join(' ');
}

/**
 * @param {ImportReport} report What became, or would become, of an import.
 * @returns {string} In one sentence or two.
 */
export function importSentence(report) {
  const { format, dry_run, found, added, known, refused_count } = report;
  const [one, many] = format === 'csv' ? ['address', 'addresses'] : ['image', 'images'];
  if (found === 0) return `There is no ${one} in it.`;
  const parts = [
    dry_run ? `${count(added)} would be added` : `${count(added)} added`,
    known > 0 ? `${count(known)} already here` : null,
    refused_count > 0 ? `${count(refused_count)} ${dry_run ? 'would be ' : ''}refused` : null,
  ];
  return `${plural(found, one, many)} found: ${parts.filter(Boolean).join(', ')}.`;
}

/**
 * @param {ImportReport['refused']} refused Entries that were not taken.
 * @returns {[string, ImportReport['refused']][]} By reason, the most frequent first.
 */
export function refusedByReason(refused) {
  /** @type {Map<string, ImportReport['refused']>} */
  const groups = new Map();
  for (const entry of refused) {
    const group = groups.get(entry.reason);
    if (group) group.push(entry);
    else groups.set(entry.reason, [entry]);
  }
  return [...groups].sort((a, b) => b[1].length - a[1].length);
}
