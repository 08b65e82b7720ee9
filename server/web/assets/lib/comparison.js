/**
 * Two models compared, in words. The numbers and the conclusion are the server's.
 */
import { percent, plural } from './format.js';

/** @typedef {import('./types.js').Comparison} Comparison */

/** What can differ between two snapshots, in words for one and for many. @type {[string, string, string][]} */
const CHANGES = [
  ['relabelled', 'label changed', 'labels changed'],
  ['removed', 'image left out', 'images left out'],
  ['added', 'image added', 'images added'],
  ['moved', 'image on the other side', 'images on the other side'],
];

const POINTS = new Intl.NumberFormat('en', {
  maximumFractionDigits: 1,
  signDisplay: 'exceptZero',
});

/**
 * @param {Record<string, number>} counts Of a snapshot's difference from the former one.
 * @returns {string | null} What has changed, in words; null when nothing has.
 */
export function changesSince(counts) {
  const parts = CHANGES.flatMap(([name, one, many]) => {
    const number = counts[name] ?? 0;
    return number > 0 ? [plural(number, one, many)] : [];
  });
  return parts.length > 0 ? `Since the former training: ${parts.join(', ')}.` : null;
}

/**
 * @param {number} difference Of two rates, -1 to 1.
 * @returns {string} In percentage points with a sign: -3.2 points.
 */
export function points(difference) {
  const text = POINTS.format(difference * 100).replace('-', '\u2212');
  return `${text}\u00a0${text === '+1' || text === '\u22121' ? 'point' : 'points'}`;
}

/**
 * @param {number} p A p-value.
 * @returns {string} With two digits that matter: 0.021, below 0.001.
 */
export function pValue(p) {
  return p < 0.001 ? 'below 0.001' : p.toPrecision(2);
}

/**
 * @param {Comparison} found Of the server.
 * @returns {string} On what both were judged, and by which labels.
 */
export function basis(found) {
  const same =
    `Both answered the same ${plural(found.image_count, 'validation image')}, ` +
    'on which neither was trained, and are judged by the labels as they are now.';
  if (found.corrected_count === 0 || found.as_labelled_error_rate === null) return same;
  const verb = found.corrected_count === 1 ? 'was' : 'were';
  return (
    `${same} ${plural(found.corrected_count, 'label')} of these ${verb} corrected in between: by ` +
    `the labels as they were, the former model's error rate was ` +
    `${percent(found.as_labelled_error_rate)}. Labels that were corrected after a look at what a ` +
    'model thinks favour that model a little.'
  );
}
