/**
 * The server's words (reasons, states, stages, problems) in sentences.
 */
import { Problem } from './api.js';

/** @type {Record<string, {title: string, text: string}>} */
const REASONS = {
  'http-status': {
    title: 'The site refused',
    text: 'It answered with an error such as 404 (gone) or 403 (not for you). Trying again helps only if that was temporary; after 401, 403 or 429 the extension’s popup offers to fetch it in your own session.',
  },
  timeout: {
    title: 'Too slow',
    text: 'The site did not send the whole image in time. Trying again often helps.',
  },
  connection: {
    title: 'No connection',
    text: 'The site could not be reached, or it hung up half-way. Trying again often helps.',
  },
  tls: {
    title: 'Broken encryption',
    text: 'The site’s certificate is wrong or too old, so what it sends cannot be trusted.',
  },
  dns: { title: 'Unknown host', text: 'No such host name could be found.' },
  'blocked-address': {
    title: 'Inside your network',
    text: 'The address leads to your own machine or network. Such addresses are never fetched unless the settings list them.',
  },
  'too-many-redirects': {
    title: 'Redirects without end',
    text: 'The address sends from one place to the next, too often.',
  },
  'too-large': {
    title: 'File too large',
    text: 'The file is larger than the limit in the settings.',
  },
  empty: { title: 'Empty file', text: 'The site answered, with nothing in it.' },
  'not-an-image': {
    title: 'Not an image',
    text: 'What came is something else, most often a web page that says “not found”.',
  },
  'unsupported-format': {
    title: 'Unknown format',
    text: 'It may be an image, but in a format that Bowerbird does not read (such as SVG).',
  },
  truncated: { title: 'Damaged file', text: 'The image breaks off before its end.' },
  'too-many-pixels': {
    title: 'Too many pixels',
    text: 'Unpacked it would be larger than the limit in the settings.',
  },
  'too-small': { title: 'Too small', text: 'It has fewer pixels than a model could learn from.' },
  'opt-out': {
    title: 'The owner says no',
    text: 'The site asks that its images are not used for machine learning. Bowerbird keeps to that.',
  },
  'bad-url': {
    title: 'Not a web address',
    text: 'The page gave something that is not an http address.',
  },
};

/**
 * @param {string | null} reason One of the closed list of reasons.
 * @returns {{title: string, text: string}} What it means.
 */
export function explainReason(reason) {
  return REASONS[reason ?? ''] ?? { title: reason ?? 'Unknown reason', text: '' };
}

/** @type {Record<import('./types.js').ObtainedBy, string>} */
const OBTAINED = {
  server: 'fetched by the server',
  browser: 'fetched by a browser, in its person’s session',
  'cached-copy': 'a search engine’s copy, fetched by a browser',
  upload: 'uploaded',
};

/**
 * @param {Pick<import('./types.js').Image, 'obtained_by' | 'http_status'>} image An image.
 * @returns {string | null} How its bytes came; null while it has none.
 */
export function explainObtained({ obtained_by, http_status }) {
  if (obtained_by === null) return null;
  const isRefused = http_status !== null && http_status !== 200;
  return `${OBTAINED[obtained_by]}${isRefused ? `; the server was answered ${String(http_status)}` : ''}`;
}

/** @type {Record<import('./types.js').Status, string>} */
export const STATUS_WORDS = {
  ready: 'Ready',
  queued: 'Waiting',
  downloading: 'Fetching',
  duplicate: 'Duplicates',
  rejected: 'Rejected',
};

/** @type {Record<import('./types.js').Stage, {title: string, text: string}>} */
export const STAGES = {
  candidate: { title: 'Candidate', text: 'Ready to be tried. Nobody is answered by it yet.' },
  shadow: { title: 'Shadow', text: 'Asked beside the live model; nobody sees its answers.' },
  limited: { title: 'Limited', text: 'Answers a share of the clients, or for some sites.' },
  live: {
    title: 'Live',
    text: 'Answers everywhere: in the popup, on this page and through the API.',
  },
  retired: { title: 'Retired', text: 'Kept for the record; no longer used.' },
};

/** @type {Record<import('./types.js').JobState, string>} */
export const JOB_WORDS = {
  queued: 'Waiting for a trainer',
  running: 'Running',
  succeeded: 'Finished',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** @type {Record<string, string>} */
const BASELINES = {
  majority: 'Always the largest class',
  pixel_similarity: 'Nearest mean image',
  pixel_linear: 'Linear model on pixels',
};

/**
 * @param {string} name As in the model's metrics.
 * @returns {string} What the baseline does.
 */
export function baselineTitle(name) {
  const words = name.replaceAll('_', ' ');
  return BASELINES[name] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * @param {string} text Such as the server's details, which go on after a title and begin small.
 * @returns {string} The same as a sentence of its own.
 */
function sentence(text) {
  const end = /[.!?…]$/.test(text) ? '' : '.';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}

/**
 * @param {unknown} error Whatever was thrown.
 * @returns {string} What to tell the person.
 */
export function explainError(error) {
  if (error instanceof Problem) return sentence(error.detail || error.title);
  if (error instanceof Error) return error.message;
  return 'Something went wrong.';
}
