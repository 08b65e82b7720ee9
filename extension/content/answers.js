/**
 * Keeps the answers that reader.js hands on from the page's own world, for as long as the page lives.
 * They are as trustworthy as the page: counted, cut off, and kept apart by what was searched for.
 */
import { findQuery } from './query.js';

/** @typedef {{query: string | null, text: string}} Answer */

/** What reader.js calls its events: it is there; here is an answer. */
export const READER_EVENT = 'bowerbird-reader';
export const ANSWER_EVENT = 'bowerbird-answer';
/** What it waits for; until then it holds its answers back. */
const LISTENING_EVENT = 'bowerbird-listening';
const MAX_ANSWERS = 500;
const MAX_LENGTH = 4_000_000;
/** 100 screens of results; the oldest go first. */
const MAX_TOTAL_LENGTH = 32_000_000;

/** Collects answers in one document. */
export class AnswerCollector {
  /** @param {Document} document Where the events come from. */
  constructor(document) {
    this.document = document;
    /** @type {Answer[]} */
    this.answers = [];
    this.length = 0;
    document.addEventListener(ANSWER_EVENT, (event) => {
      this.#add(/** @type {CustomEvent<unknown>} */ (event).detail);
    });
    // Either may have come first.
    document.addEventListener(READER_EVENT, () => this.#sayListening());
    this.#sayListening();
  }

  /** Let reader.js hand on what it has. */
  #sayListening() {
    this.document.dispatchEvent(new CustomEvent(LISTENING_EVENT));
  }

  /** @returns {string[]} The answers to what the page shows now, oldest first. */
  read() {
    const query = this.#findQuery();
    return this.answers.filter((each) => each.query === query).map(({ text }) => text);
  }

  /** @param {unknown} text What the page handed on. */
  #add(text) {
    if (typeof text !== 'string' || text.length > MAX_LENGTH) return;
    this.answers.push({ query: this.#findQuery(), text });
    this.length += text.length;
    while (this.answers.length > MAX_ANSWERS || this.length > MAX_TOTAL_LENGTH) {
      this.length -= this.answers.shift()?.text.length ?? 0;
    }
  }

  /** @returns {string | null} What the page answers: it may change without a reload. */
  #findQuery() {
    return findQuery(this.document, new URL(this.document.location.href));
  }
}
