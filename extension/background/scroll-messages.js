/**
 * Checks what comes over the port. The content script shares its process with a page that may be
 * hostile: every candidate is made anew by the rules by which pages are read.
 */
import { CandidateList } from '../content/candidates.js';
import { MAX_SEEN } from '../content/scroll/collector.js';
import { MAX_SENT_AT_ONCE } from '../content/scroll/link.js';

/** @typedef {import('../lib/types.js').Candidate} Candidate */
/** @typedef {import('../lib/scroll.js').ScrollEnd} ScrollEnd */
/** @typedef {import('../lib/scroll.js').ScrollReport} ScrollReport */
/** @typedef {{[name: string]: unknown}} Fields What a message may hold. */

/** What the page's side may give as a reason; that the page was left is for us to notice. */
const ENDS = new Set([
  'goal',
  'end',
  'nothing-new',
  'blocked',
  'stopped',
  'query-changed',
  'hidden-too-long',
  'time-cap',
  'step-cap',
  'seen-cap',
  'failed',
]);
const MAX_RUN_ID_LENGTH = 26;
/** As many as the page's side remembers. */
const MAX_LEFT_OUT = 5000;
const MAX_URL_LENGTH = 8192;

/**
 * Read a message.
 *
 * @param {unknown} message What came.
 * @param {URL} base Address of the page.
 * @returns {ScrollReport | null} The message, its candidates checked; null when it is none of ours.
 */
export function readReport(message, base) {
  if (typeof message !== 'object' || message === null) return null;
  const fields = /** @type {Fields} */ (message);
  const { type, id } = fields;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return null;
  if (type === 'hello') return readHello(fields, id);
  if (type === 'end') return readEnd(fields, id);
  return type === 'found' ? readFound(fields, id, base) : null;
}

/**
 * Read a greeting.
 *
 * @param {Fields} fields What came.
 * @param {number} id Its number.
 * @returns {ScrollReport | null} The message.
 */
function readHello({ run_id }, id) {
  if (run_id !== null && typeof run_id !== 'string') return null;
  return (run_id?.length ?? 0) > MAX_RUN_ID_LENGTH ? null : { type: 'hello', id, run_id };
}

/**
 * Read an end.
 *
 * @param {Fields} fields What came.
 * @param {number} id Its number.
 * @returns {ScrollReport | null} The message.
 */
function readEnd({ end }, id) {
  if (typeof end !== 'string' || !ENDS.has(end)) return null;
  return { type: 'end', id, end: /** @type {ScrollEnd} */ (end) };
}

/**
 * Read what was found.
 *
 * @param {Fields} fields What came.
 * @param {number} id Its number.
 * @param {URL} base Address of the page.
 * @returns {ScrollReport | null} The message, its candidates made anew.
 */
function readFound({ phase, candidates, left_out }, id, base) {
  if (phase !== 'running' && phase !== 'hidden') return null;
  if (!Array.isArray(candidates) || candidates.length > MAX_SENT_AT_ONCE) return null;
  const leftOut = Array.isArray(left_out) ? left_out.slice(0, MAX_LEFT_OUT) : null;
  return {
    type: 'found',
    id,
    phase,
    candidates: readCandidates(candidates, base),
    left_out: leftOut?.filter(isAddress) ?? null,
  };
}

/**
 * Tell what may be an address from anything else.
 *
 * @param {unknown} value What came.
 * @returns {value is string} False for what no candidate's address equals.
 */
function isAddress(value) {
  return typeof value === 'string' && value.length <= MAX_URL_LENGTH;
}

/**
 * Make candidates anew.
 *
 * @param {unknown[]} values What came.
 * @param {URL} base Address of the page.
 * @returns {Candidate[]} Those that can be captured.
 */
function readCandidates(values, base) {
  return values.flatMap((value) => {
    if (typeof value !== 'object' || value === null) return [];
    const raw = /** @type {Fields} */ (value);
    const list = new CandidateList(base);
    list.add({
      url: textOf(raw['url']),
      source_url: textOf(raw['source_url']),
      thumbnail_url: textOf(raw['thumbnail_url']),
      title: textOf(raw['title']),
      license: textOf(raw['license']),
      width: raw['width'],
      height: raw['height'],
    });
    const rank = raw['rank'];
    const isRank = typeof rank === 'number' && Number.isInteger(rank) && rank >= 0;
    return list.toArray().map((candidate) => ({
      ...candidate,
      rank: isRank && rank < MAX_SEEN ? rank : 0,
    }));
  });
}

/**
 * Take nothing but a text.
 *
 * @param {unknown} value What came.
 * @returns {string | null} The text.
 */
function textOf(value) {
  return typeof value === 'string' ? value : null;
}
