/** Proposes a label for what was searched, and names the one that a model gave. */
import { text } from './text.js';

/** Words that people add to find pictures; they say nothing of what the pictures show. */
const FILLER = /\b(?:images?|photos?|photographs?|pictures?|pics?|wallpapers?|hd|4k)\b/giu;
/** Search operators such as `site:example.org`, `-toy`, `filetype:jpg`. */
const OPERATORS = /(?:^|\s)(?:-\S+|\w+:\S+|(?:AND|OR|NOT)(?=\s|$))/gu;
const MAX_LABEL_LENGTH = 100;
/** Invisible marks that a search in Arabic or Hebrew brings along, and no label may have. */
const DIRECTION_MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Reduce a query to what was looked for. Also the key under which its label is remembered.
 *
 * @param {string | null} query Query as typed.
 * @returns {string} Lower-case words, or an empty text.
 */
export function normaliseQuery(query) {
  const written = (query ?? '').replace(DIRECTION_MARKS, '');
  const words = tidy(written.replace(OPERATORS, ' ').replace(/["“”„«»()|]/g, ' '));
  // A search for nothing but "photo" still is a search for photos.
  return (tidy(words.replace(FILLER, ' ')) || words).toLocaleLowerCase().slice(0, MAX_LABEL_LENGTH);
}

/**
 * Propose a label.
 *
 * @param {object} known What is known.
 * @param {string | null} known.query The page's query.
 * @param {string[]} known.labels Labels that the dataset has.
 * @param {{[query: string]: string}} known.queryLabels Labels chosen before, by normalised query.
 * @param {string | undefined} known.lastLabel The label last used in the dataset.
 * @returns {string} The label, in the dataset's own spelling where it has one; may be empty.
 */
export function proposeLabel({ query, labels, queryLabels, lastLabel }) {
  const words = normaliseQuery(query);
  if (words === '') return lastLabel ?? '';
  const remembered = queryLabels[words] ?? words;
  return matchLabel(remembered, labels) ?? remembered;
}

/**
 * Find a label that differs in nothing but letter case, white space and how accents are written.
 *
 * @param {string} label Label as typed.
 * @param {string[]} labels Labels that the dataset has.
 * @returns {string | undefined} The dataset's spelling.
 */
export function matchLabel(label, labels) {
  const key = tidy(label).toLocaleLowerCase();
  return labels.find((each) => tidy(each).toLocaleLowerCase() === key);
}

/**
 * Name a model's answer. Abstaining does not mean that the likeliest label is unlikely: the image may
 * resemble none of the classes, and still one of them most.
 *
 * @param {Pick<import('./types.js').Classification, 'predictions' | 'abstained'>} answer The answer.
 * @returns {string} The label, or how unsure the model is.
 */
export function nameAnswer({ predictions: [best], abstained }) {
  if (best === undefined) return text('notSure');
  return abstained ? text('notSurePerhaps', best.label) : best.label;
}

/**
 * Collapse white space, and write letters and their accents as one, as the server keeps labels.
 *
 * @param {string} words Any text.
 * @returns {string} The text, composed, with single spaces, trimmed.
 */
function tidy(words) {
  return words.normalize('NFC').replace(/\s+/gu, ' ').trim();
}
