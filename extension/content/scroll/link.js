/**
 * The page's side of the port to the background. The worker there may be evicted between any two
 * messages: then the port is opened anew, and what was not acknowledged is sent once more.
 */

/** @typedef {import('../../lib/types.js').Candidate} Candidate */
/** @typedef {import('../../lib/scroll.js').ScrollEnd} ScrollEnd */
/** @typedef {import('../../lib/scroll.js').ScrollOrder} ScrollOrder */
/** @typedef {import('../../lib/scroll.js').ScrollState} ScrollState */
/**
 * @typedef {object} Port The part of the browser's port that is used.
 * @property {(message: object) => void} postMessage Sends.
 * @property {() => void} disconnect Closes.
 * @property {{addListener: (listener: (message: ScrollOrder) => void) => void}} onMessage What comes.
 * @property {{addListener: (listener: () => void) => void}} onDisconnect Told when the other side is gone.
 */

/** Beyond, the extension is not evicted but gone: updated or switched off. */
const MAX_ATTEMPTS = 4;
/** As many as the background takes in one message. */
export const MAX_SENT_AT_ONCE = 500;

/** The run is over for the background, or the background is gone. */
export class LinkLost extends Error {}

/** The run was ended elsewhere, such as by Stop in the popup while nobody saw the page. */
export class RunOver extends Error {
  /** @param {ScrollState} state The run. */
  constructor(state) {
    super('over');
    this.state = state;
  }
}

/** Reports one run. */
export class ScrollLink {
  /**
   * @param {object} parts What it works with.
   * @param {() => Port} parts.connect Opens a port; throws when the extension is gone.
   * @param {(ms: number) => Promise<void>} parts.sleep Waits.
   * @param {() => void} parts.onStop Told when the person stops the run elsewhere.
   */
  constructor(parts) {
    this.parts = parts;
    /** @type {Port | null} */
    this.port = null;
    this.lastId = 0;
    /** @type {string | null} */
    this.runId = null;
    /** What the background knows to be left out. @type {string[]} */
    this.leftOut = [];
    /** @type {Map<number, {resolve: (order: ScrollOrder) => void, reject: (error: Error) => void}>} */
    this.waiting = new Map();
  }

  /** @returns {Promise<ScrollState>} The run that was asked for in this tab. */
  async open() {
    return this.#ask({ type: 'hello', run_id: this.runId });
  }

  /**
   * Hand on what was found.
   *
   * @param {Candidate[]} candidates What is new; may be nothing.
   * @param {'running' | 'hidden'} phase Whether it waits.
   * @param {string[]} leftOut Addresses that the person left out.
   * @returns {Promise<ScrollState>} What the run has so far.
   * @throws {LinkLost | RunOver}
   */
  async report(candidates, phase, leftOut) {
    for (let start = 0; ; start += MAX_SENT_AT_ONCE) {
      const piece = candidates.slice(start, start + MAX_SENT_AT_ONCE);
      const left_out = isSame(leftOut, this.leftOut) ? null : leftOut;
      const state = await this.#ask({ type: 'found', phase, candidates: piece, left_out });
      this.leftOut = leftOut;
      if (state.end !== null) throw new RunOver(state);
      if (start + MAX_SENT_AT_ONCE >= candidates.length) return state;
    }
  }

  /**
   * Say that it has ended, and wait until what was found is captured.
   *
   * @param {ScrollEnd} end Why.
   * @returns {Promise<ScrollState>} What came of it.
   * @throws {LinkLost}
   */
  async end(end) {
    const state = await this.#ask({ type: 'end', end });
    this.port?.disconnect();
    return state;
  }

  /**
   * Send a message until it is answered.
   *
   * @param {object} message What to say.
   * @returns {Promise<ScrollState>} The answer.
   */
  async #ask(message) {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      try {
        if (this.port === null && !('run_id' in message)) await this.#reopen();
        const answer = await this.#exchange(message);
        if (answer.type !== 'state') throw new LinkLost('gone');
        this.runId = answer.state.run_id;
        return answer.state;
      } catch (error) {
        if (error instanceof LinkLost) throw error;
        await this.parts.sleep(attempt * 500);
      }
    }
    throw new LinkLost('no answer');
  }

  /** Say again who we are, as the new worker knows no port of ours. */
  async #reopen() {
    const answer = await this.#exchange({ type: 'hello', run_id: this.runId });
    if (answer.type !== 'state') throw new LinkLost('gone');
  }

  /**
   * Send one message and wait for its answer: a worker that gives none is ended by the browser, which
   * closes the port.
   *
   * @param {object} message What to say.
   * @returns {Promise<ScrollOrder>} The answer.
   * @throws {Error} The port closed first.
   */
  #exchange(message) {
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      try {
        this.port ??= this.#connect();
        this.port.postMessage({ ...message, id });
      } catch (error) {
        this.waiting.delete(id);
        this.port = null;
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** @returns {Port} A new port. */
  #connect() {
    const port = this.parts.connect();
    port.onMessage.addListener((order) => {
      if (order.type === 'stop') return this.parts.onStop();
      this.waiting.get(order.id)?.resolve(order);
      this.waiting.delete(order.id);
    });
    port.onDisconnect.addListener(() => {
      this.port = null;
      for (const { reject } of this.waiting.values()) reject(new Error('the port closed'));
      this.waiting.clear();
    });
    return port;
  }
}

/**
 * Compare two lists.
 *
 * @param {string[]} one A list.
 * @param {string[]} other Another.
 * @returns {boolean} Whether they hold the same in the same order.
 */
function isSame(one, other) {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}
