/**
 * What the dataset has of the addresses on a page: asked in batches, those in view first, each address
 * once, and never without end, however many addresses a page makes up.
 */

/** @typedef {import('../../lib/page-messages.js').Held} Held */
/** @typedef {import('../../lib/page-messages.js').HeldAt} HeldAt */

/** What the server takes in one question. */
const BATCH_SIZE = 500;
/** Tiles come in groups: one question for all of them. */
const GATHER_MS = 80;
/** The background allows two questions a second. */
const PAUSE_MS = 500;
/** A thousand screens of results. */
const MAX_REMEMBERED = 10_000;
/** In one page, repetitions included; nobody scrolls as far. */
const MAX_ASKED = 40_000;
const FIRST_RETRY_MS = 4000;
const MAX_RETRY_MS = 60_000;
/** Most images are fetched within seconds; these six looks end after two minutes. */
const FIRST_RECHECK_MS = 2000;
const MAX_RECHECKS = 6;

/** Asks, remembers, and asks again for what is still being fetched. */
export class Knowledge {
  /**
   * @param {object} parts What it works with.
   * @param {(urls: string[]) => Promise<HeldAt[] | null>} parts.ask Asks; null when nobody answers.
   * @param {() => void} parts.onAnswer Told when something may have changed.
   */
  constructor({ ask, onAnswer }) {
    this.ask = ask;
    this.onAnswer = onAnswer;
    /** @type {Map<string, Held | null>} Oldest first; null: the dataset has it not. */
    this.answers = new Map();
    /** @type {Set<string>} Addresses that need no question, or are in one. */
    this.asked = new Set();
    /** @type {string[]} */
    this.near = [];
    /** @type {string[]} */
    this.far = [];
    this.askedCount = 0;
    this.failureCount = 0;
    this.recheckCount = 0;
    this.lastAtMs = 0;
    this.isAsking = false;
    this.isStopped = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.recheckTimer = undefined;
  }

  /**
   * Look up an address.
   *
   * @param {string} url The address.
   * @returns {Held | null | undefined} What the dataset has, null for nothing; undefined while nobody
   *   has answered. Where nobody answers at all, nothing counts as had: it can still be left out.
   */
  get(url) {
    const answer = this.answers.get(url);
    return answer === undefined && this.failureCount > 0 ? null : answer;
  }

  /**
   * Say what the person sees.
   *
   * @param {string[]} urls Addresses in view or about to be: asked for first.
   */
  want(urls) {
    this.near = urls;
    // Called with every frame: what the page holds beyond is not looked through each time.
    if (this.#holdsNew(urls)) this.#schedule();
  }

  /**
   * Say what the page holds.
   *
   * @param {string[]} urls All addresses: they fill up the questions.
   */
  offer(urls) {
    this.far = urls;
    this.#scheduleRest();
  }

  /**
   * Take note of what the person has changed just now.
   *
   * @param {string} url The address.
   * @param {Held | null} held What the dataset has of it now.
   */
  set(url, held) {
    this.#keep(url, held);
    this.onAnswer();
  }

  /** Ask for everything again; until the answers come, the former ones hold. */
  askAgain() {
    this.asked.clear();
    this.failureCount = 0;
    this.recheckCount = 0;
    this.#scheduleRest();
  }

  /** Ask nothing any more. */
  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.recheckTimer);
    this.timer = this.recheckTimer = undefined;
  }

  /** Ask soon, if there is anything to ask for. */
  #scheduleRest() {
    if (this.#holdsNew(this.near) || this.#holdsNew(this.far)) this.#schedule();
  }

  /** Ask soon, as far as there is leave to. */
  #schedule() {
    if (this.isStopped || this.isAsking || this.timer !== undefined) return;
    if (this.askedCount >= MAX_ASKED) return;
    const retryMs = Math.min(FIRST_RETRY_MS * 2 ** (this.failureCount - 1), MAX_RETRY_MS);
    const pauseMs = this.failureCount > 0 ? retryMs : PAUSE_MS;
    const delayMs = Math.max(GATHER_MS, this.lastAtMs + pauseMs - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.#ask();
    }, delayMs);
  }

  /**
   * Look for something to ask.
   *
   * @param {string[]} urls Addresses.
   * @returns {boolean} Whether any of them needs a question.
   */
  #holdsNew(urls) {
    return urls.some((url) => !this.asked.has(url));
  }

  /** Ask one question, and plan the next. */
  async #ask() {
    const all = new Set([...this.near, ...this.far]);
    const urls = [...all].filter((url) => !this.asked.has(url)).slice(0, BATCH_SIZE);
    if (urls.length === 0) return;
    for (const url of urls) this.asked.add(url);
    this.askedCount += urls.length;
    this.isAsking = true;
    const found = await this.ask(urls);
    this.isAsking = false;
    this.lastAtMs = Date.now();
    if (this.isStopped) return;
    this.#take(urls, found);
    this.onAnswer();
    this.#scheduleRest();
  }

  /**
   * Keep what was answered.
   *
   * @param {string[]} urls What was asked for.
   * @param {HeldAt[] | null} found The answer; null for none.
   */
  #take(urls, found) {
    if (found === null) {
      this.failureCount += 1;
      for (const url of urls) this.asked.delete(url);
      return;
    }
    this.failureCount = 0;
    const held = new Map(found.map(({ index, ...rest }) => [urls[index], rest]));
    for (const url of urls) this.#keep(url, held.get(url) ?? null);
    this.#planRecheck();
  }

  /**
   * Remember an answer; the oldest makes room for it.
   *
   * @param {string} url The address.
   * @param {Held | null} held What the dataset has of it.
   */
  #keep(url, held) {
    this.answers.delete(url);
    this.answers.set(url, held);
    this.asked.add(url);
    if (this.answers.size <= MAX_REMEMBERED) return;
    const [oldest] = this.answers.keys();
    if (oldest === undefined) return;
    this.answers.delete(oldest);
    // Forgotten, it may be asked for again should it come into view.
    this.asked.delete(oldest);
  }

  /** Look again later at what is in view and still being fetched. */
  #planRecheck() {
    const isDue = this.recheckTimer === undefined && this.recheckCount < MAX_RECHECKS;
    if (!isDue || !this.near.some((url) => isWaiting(this.answers.get(url)))) return;
    this.recheckTimer = setTimeout(
      () => {
        this.recheckTimer = undefined;
        for (const url of this.near) if (isWaiting(this.answers.get(url))) this.asked.delete(url);
        this.#scheduleRest();
      },
      FIRST_RECHECK_MS * 2 ** this.recheckCount,
    );
    this.recheckCount += 1;
  }
}

/**
 * Tell whether an image may become another thing by itself.
 *
 * @param {Held | null | undefined} held What the dataset has.
 * @returns {boolean} True while the server fetches it.
 */
export function isWaiting(held) {
  return held?.status === 'queued' || held?.status === 'downloading';
}
