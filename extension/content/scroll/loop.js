/** Scrolls and collects until there is a reason to end. Knows neither DOM nor time: it is given both. */
import { Collector } from './collector.js';

/** @typedef {import('../../lib/types.js').Candidate} Candidate */
/** @typedef {import('../../lib/scroll.js').ScrollEnd} ScrollEnd */

/** About as long as a person looks at a screen of results; the jitter keeps it from being a beat. */
const MIN_PACE_MS = 1100;
const PACE_JITTER_MS = 900;
/** How long the page may take to grow when its end is reached, and how often we look. */
const GROWTH_PATIENCE_MS = 4000;
const GROWTH_LOOK_MS = 250;
/** Steps at the end of a page that does not grow before that is its end: some 15 s. */
const MAX_STILL_STEPS = 3;
/** Steps without anything new on a page that does grow, such as one that repeats itself. */
const MAX_BARREN_STEPS = 40;
/** Presses of "more" in a row that bring nothing. */
const MAX_VAIN_PRESSES = 3;
/** 2000 images need some 100 steps of a usual page, and some five minutes. */
export const MAX_STEPS = 1000;
export const MAX_ACTIVE_MS = 20 * 60_000;
/** Nobody waits longer for a tab that nobody looks at. */
const MAX_HIDDEN_MS = 15 * 60_000;
const HIDDEN_LOOK_MS = 1000;

/**
 * @typedef {object} Reading What the page holds now.
 * @property {Candidate[]} candidates Images, in page order.
 * @property {string} subject What it is about: differs when the page shows another search.
 * @property {boolean} isBlocked Whether it asks for a proof of humanity.
 */
/**
 * @typedef {object} LoopPage The page, as far as it is needed.
 * @property {() => Reading} read What it holds now.
 * @property {() => void} stepDown Scrolls by somewhat less than a screen.
 * @property {() => boolean} isAtEnd Whether it can't be scrolled on.
 * @property {() => number} height Of all that can be scrolled, in pixels.
 * @property {() => boolean} pressMore Presses the site's button for more results; false: there is none.
 * @property {() => boolean} isHidden Whether nobody sees its tab.
 */
/**
 * @typedef {object} Clock
 * @property {() => number} now Milliseconds.
 * @property {(ms: number, signal: AbortSignal) => Promise<void>} sleep Waits, or less when told to stop.
 * @property {() => number} random From 0 to 1.
 */
/**
 * @typedef {object} LoopParts
 * @property {LoopPage} page What is scrolled.
 * @property {Clock} clock Paces it.
 * @property {number} goalCount How many images are enough.
 * @property {(fresh: Candidate[], phase: 'running' | 'hidden') => Promise<number>} report Hands on what
 *   was found; returns how many so far count for the goal.
 * @property {AbortSignal} signal Stops it.
 */

/** One run over one page. */
export class ScrollLoop {
  /** @param {LoopParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
    this.collector = new Collector();
    this.subject = '';
    this.stepCount = 0;
    this.stillCount = 0;
    this.barrenCount = 0;
    this.vainPressCount = 0;
    this.hiddenMs = 0;
    this.startedAtMs = 0;
  }

  /** @returns {Promise<ScrollEnd>} Why it ended, when it has. */
  async run() {
    const { page, clock } = this.parts;
    this.startedAtMs = clock.now();
    const first = page.read();
    this.subject = first.subject;
    let end = await this.#take(first);
    // Ends: every step counts towards MAX_STEPS.
    while (end === null) end = this.#findCap() ?? (await this.#step());
    return end;
  }

  /** @returns {ScrollEnd | null} Which cap is reached. */
  #findCap() {
    if (this.stepCount >= MAX_STEPS) return 'step-cap';
    if (this.collector.isFull) return 'seen-cap';
    const activeMs = this.parts.clock.now() - this.startedAtMs - this.hiddenMs;
    return activeMs >= MAX_ACTIVE_MS ? 'time-cap' : null;
  }

  /**
   * Scroll on once, and look.
   *
   * @returns {Promise<ScrollEnd | null>} Why it ends here, if it does.
   */
  async #step() {
    const { page, clock, signal } = this.parts;
    this.stepCount += 1;
    const end = page.isHidden() ? await this.#waitUntilShown() : null;
    if (end !== null) return end;
    const heightPx = page.height();
    page.stepDown();
    await clock.sleep(MIN_PACE_MS + clock.random() * PACE_JITTER_MS, signal);
    const hasGrown = !page.isAtEnd() || (await this.#waitForGrowth(heightPx));
    return (await this.#take(page.read())) ?? this.#judge(hasGrown);
  }

  /**
   * Wait until somebody sees the tab again.
   *
   * @returns {Promise<ScrollEnd | null>} Why it ends here, if it does.
   */
  async #waitUntilShown() {
    const { page, clock, report, signal } = this.parts;
    const sinceMs = clock.now();
    await report([], 'hidden');
    while (page.isHidden() && !signal.aborted) {
      if (clock.now() - sinceMs >= MAX_HIDDEN_MS) return 'hidden-too-long';
      await clock.sleep(HIDDEN_LOOK_MS, signal);
    }
    this.hiddenMs += clock.now() - sinceMs;
    if (signal.aborted) return 'stopped';
    await report([], 'running');
    return null;
  }

  /**
   * Give a page at its end time to load more.
   *
   * @param {number} heightPx What it had before the step.
   * @returns {Promise<boolean>} Whether it grew, or shrank as a list that is made anew does.
   */
  async #waitForGrowth(heightPx) {
    const { page, clock, signal } = this.parts;
    const untilMs = clock.now() + GROWTH_PATIENCE_MS;
    while (page.height() === heightPx && !signal.aborted) {
      if (clock.now() >= untilMs) return false;
      await clock.sleep(GROWTH_LOOK_MS, signal);
    }
    return true;
  }

  /**
   * Collect what the page holds, and hand on what is new.
   *
   * @param {Reading} reading What it holds.
   * @returns {Promise<ScrollEnd | null>} Why it ends here, if it does.
   */
  async #take({ candidates, subject, isBlocked }) {
    const { report, goalCount, signal } = this.parts;
    if (subject !== this.subject) return 'query-changed';
    const fresh = this.collector.add(candidates);
    if (fresh.length > 0) {
      this.barrenCount = 0;
      this.vainPressCount = 0;
    } else {
      this.barrenCount += 1;
    }
    const count = await report(fresh, 'running');
    if (count >= goalCount) return 'goal';
    if (isBlocked) return 'blocked';
    return signal.aborted ? 'stopped' : null;
  }

  /**
   * Tell whether there is more to come after a step.
   *
   * @param {boolean} hasGrown Whether there was more to scroll.
   * @returns {ScrollEnd | null} Why it ends here, if it does.
   */
  #judge(hasGrown) {
    if (this.barrenCount >= MAX_BARREN_STEPS) return 'nothing-new';
    this.stillCount = hasGrown || this.barrenCount === 0 ? 0 : this.stillCount + 1;
    if (this.stillCount === 0) return null;
    if (this.vainPressCount < MAX_VAIN_PRESSES && this.parts.page.pressMore()) {
      this.vainPressCount += 1;
      this.stillCount = 0;
    }
    return this.stillCount >= MAX_STILL_STEPS ? 'end' : null;
  }
}
