/**
 * What the model says of the images in view that the dataset has not: asked a few at a time, each once,
 * and of so many in a page at most. The server fetches each of them.
 */
import { isDoubted } from '../../lib/doubt.js';

/** @typedef {import('../../lib/page-messages.js').Asking} Asking */
/** @typedef {import('../../lib/page-messages.js').Opinion} Opinion */
/** @typedef {import('../../lib/page-messages.js').OpinionsReply} OpinionsReply */
/** @typedef {import('../../lib/page-messages.js').PageOpinions} PageOpinions */

/** As many as the background takes in one question. */
const BATCH_SIZE = 8;
/** Questions on their way: while the server fetches one's images, it classifies the other's. */
const MAX_QUESTIONS = 2;
/** What is merely scrolled past is not asked about. */
const GATHER_MS = 300;
/** Of one page: a dozen screens. More is not looked at one by one. */
export const MAX_ASKED = 300;
/** One that keeps the server busy for too long is asked about once more, alone. */
const MAX_ATTEMPTS = 2;
const FIRST_RETRY_MS = 4000;
const MAX_RETRY_MS = 60_000;
/** Training takes minutes. */
const NO_MODEL_PAUSE_MS = 60_000;

/** Asks and remembers, for as long as the page lives. */
export class Questions {
  /**
   * @param {object} parts What it works with.
   * @param {(subject: string, urls: string[]) => Promise<OpinionsReply | undefined>} parts.ask Asks;
   *   nothing when nobody answers.
   * @param {() => void} parts.onAnswer Told when there are new opinions.
   */
  constructor({ ask, onAnswer }) {
    this.ask = ask;
    this.onAnswer = onAnswer;
    /** @type {Asking | null} */
    this.asking = null;
    /** Whom the opinions are of. */
    this.subject = '';
    /** @type {Map<string, Opinion | null>} Null: the model could not look at it. */
    this.opinions = new Map();
    /** @type {Map<string, number>} How often each was asked about to no avail. */
    this.attempts = new Map();
    /** @type {Set<string>} Addresses in questions on their way. */
    this.sent = new Set();
    /** @type {string[]} */
    this.wanted = [];
    /** @type {'no-model' | null} */
    this.trouble = null;
    this.questionCount = 0;
    this.failureCount = 0;
    this.waitUntilMs = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {Asking | null} asking Whom to ask and what for from now on; null for nobody. */
  follow(asking) {
    this.asking = asking;
    if (asking !== null && asking.subject !== this.subject) {
      this.subject = asking.subject;
      this.opinions.clear();
      this.attempts.clear();
      this.trouble = null;
      this.failureCount = this.waitUntilMs = 0;
      // The former dataset may have made it wait for a minute.
      this.#halt();
    }
    if (asking === null) this.#halt();
    this.#schedule();
    this.onAnswer();
  }

  /** @param {string[]} urls Addresses in view or about to be, of images that the dataset has not. */
  want(urls) {
    this.wanted = urls;
    this.#schedule();
  }

  /**
   * Look up an address.
   *
   * @param {string} url The address.
   * @returns {{opinion: Opinion, isDoubted: boolean} | null} What the model says; null while it has
   *   said nothing, or is not to be asked.
   */
  get(url) {
    const opinion = this.asking === null ? null : (this.opinions.get(url) ?? null);
    if (opinion === null) return null;
    return { opinion, isDoubted: isDoubted(opinion, this.asking?.label ?? '') };
  }

  /** @returns {PageOpinions | null} All that was said; null where nobody is asked. */
  summarise() {
    if (this.asking === null) return null;
    const opinions = [...this.opinions].flatMap(([url, opinion]) =>
      opinion === null ? [] : [{ url, ...opinion }],
    );
    const isFull = this.attempts.size >= MAX_ASKED;
    return { subject: this.subject, opinions, trouble: this.trouble ?? (isFull ? 'full' : null) };
  }

  /** Ask no more until something is wanted again. */
  #halt() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Ask soon, if there is anything to ask for, and leave to. */
  #schedule() {
    const isIdle = this.timer === undefined && this.questionCount < MAX_QUESTIONS;
    if (this.asking === null || !isIdle || this.#choose().length === 0) return;
    const delayMs = Math.max(GATHER_MS, this.waitUntilMs - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const urls = this.#choose();
      if (urls.length > 0) void this.#ask(urls);
      this.#schedule();
    }, delayMs);
  }

  /** @returns {string[]} What to ask for next; one alone that brought its question to nothing before. */
  #choose() {
    const open = this.wanted.filter((url) => this.#isOpen(url));
    let leftCount = MAX_ASKED - this.attempts.size;
    const fresh = open.filter((url) => {
      const attemptCount = this.attempts.get(url);
      if (attemptCount === undefined) leftCount -= 1;
      return attemptCount === undefined ? leftCount >= 0 : attemptCount === 0;
    });
    return fresh.length > 0 ? fresh.slice(0, BATCH_SIZE) : open.slice(0, 1);
  }

  /**
   * Tell whether there is leave to ask about an image.
   *
   * @param {string} url Its address.
   * @returns {boolean} False when it was, often enough, or when the page has had its share.
   */
  #isOpen(url) {
    if (this.opinions.has(url) || this.sent.has(url)) return false;
    const attemptCount = this.attempts.get(url);
    if (attemptCount === undefined) return this.attempts.size < MAX_ASKED;
    return attemptCount < MAX_ATTEMPTS;
  }

  /** @param {string[]} urls What to ask for. */
  async #ask(urls) {
    const { subject } = this;
    for (const url of urls) {
      this.sent.add(url);
      this.attempts.set(url, this.attempts.get(url) ?? 0);
    }
    this.questionCount += 1;
    const reply = await this.ask(subject, urls);
    this.questionCount -= 1;
    for (const url of urls) this.sent.delete(url);
    // Of a dataset that was left meanwhile: what it says would be taken for the other's.
    if (subject === this.subject) this.#take(urls, reply);
    this.#schedule();
    this.onAnswer();
  }

  /**
   * Keep what was answered, or find out when to ask again.
   *
   * @param {string[]} urls What was asked for.
   * @param {OpinionsReply | undefined} reply The answer; nothing for none.
   */
  #take(urls, reply) {
    if (reply === undefined) return this.#takeFailure(urls);
    this.trouble = reply.state === 'no-model' ? 'no-model' : null;
    this.failureCount = 0;
    if (reply.state === 'no-model') return this.#wait(NO_MODEL_PAUSE_MS);
    if (reply.state === 'busy') {
      return this.#wait(Math.min(reply.retry_after_s * 1000, MAX_RETRY_MS));
    }
    for (const url of urls) this.opinions.set(url, null);
    for (const { index, ...opinion } of reply.opinions) {
      const url = urls[index];
      if (url !== undefined) this.opinions.set(url, opinion);
    }
  }

  /** @param {string[]} urls What nobody answered for. */
  #takeFailure(urls) {
    for (const url of urls) this.attempts.set(url, (this.attempts.get(url) ?? 0) + 1);
    this.failureCount += 1;
    this.#wait(Math.min(FIRST_RETRY_MS * 2 ** (this.failureCount - 1), MAX_RETRY_MS));
  }

  /** @param {number} pauseMs How long to ask nothing. */
  #wait(pauseMs) {
    this.waitUntilMs = Date.now() + pauseMs;
  }
}
