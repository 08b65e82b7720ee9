/**
 * What became of one image: how it looks in numbers, where it was seen, who changed what and when.
 */
import { h, replaceUnderKeyboard } from '../lib/dom.js';
import { HINT_WORDS } from '../lib/filters.js';
import { timeElement } from '../lib/format.js';
import { readHistory, readImage } from '../lib/resources.js';
import { factList, sightingList } from './facts.js';

/** @typedef {import('../lib/types.js').Image} Image */
/** @typedef {import('../lib/types.js').HistoryEntry} HistoryEntry */

/** @type {Record<string, string>} */
const KINDS = {
  captured: 'Captured',
  uploaded: 'Uploaded',
  tried: 'Tried',
  settled: 'Settled',
  labelled: 'Labelled',
  excluded: 'Excluded',
  included: 'Included again',
  reviewed: 'Reviewed',
  unreviewed: 'No longer reviewed',
  undone: 'Undone',
  redone: 'Done again',
};

/**
 * @param {number} value A score.
 * @returns {string} Short enough to compare by eye.
 */
const score = (value) => String(Number(value.toPrecision(3)));

/**
 * @param {Image} image An image.
 * @returns {HTMLElement | null} What may be wrong with how it looks: each hint with its score and where it begins.
 */
export function qualityFacts(image) {
  const { hints = [], quality } = image;
  if (!quality) return null;
  const found = hints.map((hint) =>
    h(
      'li',
      {},
      h('span', { class: 'badge hint' }, HINT_WORDS[hint.name] ?? hint.name),
      ` score ${score(hint.score)}, threshold ${score(hint.threshold)}`,
    ),
  );
  return h(
    'section',
    { 'data-testid': 'quality' },
    h('h2', { class: 'small-heading' }, 'How it looks'),
    found.length > 0 && h('ul', { class: 'plain small hints' }, ...found),
    factList([
      ['Brightest 1 %', score(quality.luma_p99)],
      ['Darkest 5 %', score(quality.luma_p05)],
      ['Sharpness', score(quality.sharpness)],
      ['Entropy', `${score(quality.entropy_bits)} bits`],
    ]),
  );
}

/**
 * @param {unknown} value From or to.
 * @returns {string} In words; empty for none.
 */
function valueText(value) {
  if (value === null || value === undefined || typeof value === 'boolean') return '';
  if (typeof value === 'object') return Object.values(value).filter(Boolean).join(', ');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/**
 * @param {HistoryEntry} entry One change.
 * @returns {HTMLElement} In a line.
 */
function historyLine(entry) {
  const from = valueText(entry.from);
  const to = valueText(entry.to);
  const what = from && to ? `: ${from} → ${to}` : to ? `: ${to}` : '';
  return h('li', {}, `${KINDS[entry.kind] ?? entry.kind}${what}, `, timeElement(entry.at));
}

/**
 * @param {HistoryEntry[]} entries Oldest first.
 * @returns {HTMLElement} One line each, newest first.
 */
function historyList(entries) {
  return h(
    'section',
    { 'data-testid': 'history' },
    h('h2', { class: 'small-heading' }, 'History'),
    h('ol', { class: 'plain small' }, ...[...entries].reverse().map(historyLine)),
  );
}

/**
 * Fill a place with what only the server knows of an image. A part that fails is left out: it is an extra, and a lost
 * sign-in has been announced.
 * @param {string} id Of the image.
 * @param {HTMLElement} place Where to put it.
 * @param {AbortSignal} signal Of the page.
 */
export async function drawStory(id, place, signal) {
  const [image, history] = await Promise.allSettled([
    readImage(id, signal),
    readHistory(id, signal),
  ]);
  const sightings = image.status === 'fulfilled' ? (image.value.sightings ?? []) : [];
  const entries = history.status === 'fulfilled' ? history.value.items : [];
  replaceUnderKeyboard(
    place,
    sightings.length > 0 && sightingList(sightings),
    entries.length > 0 && historyList(entries),
  );
}
