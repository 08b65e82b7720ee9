/**
 * The popup's line for scrolling and capturing: how many, how far, and what came of it. The run is the
 * background's: it goes on when the popup is closed, and is found again when that is opened.
 */
import { describeCount, describeEnd } from '../content/scroll/wording.js';
import { send } from '../lib/send.js';
import { formatNumber, text, textCount } from '../lib/text.js';
import { byId, make, notify, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/scroll.js').ScrollState} ScrollState */
/** @typedef {Pick<import('../lib/scroll.js').ScrollRequest, 'dataset' | 'label'>} Target */

const GOALS = [100, 200, 500, 1000, 2000];
const DEFAULT_GOAL = 200;
/** While a run goes on: a step of it takes longer. */
const POLL_MS = 700;

/** Shows the run of one tab. */
export class ScrollView {
  /**
   * @param {object} told Whom to ask and to tell.
   * @param {() => Promise<Target | null>} told.chooseTarget Says where images go, a new dataset made;
   *   null when the person has yet to say.
   * @param {() => void} told.onStarted A run has begun: what was said of earlier captures is over.
   * @param {() => Promise<void>} told.onCaptured A run that was seen going on has ended.
   * @param {(error: unknown) => Promise<void>} told.onError Something failed.
   */
  constructor(told) {
    this.told = told;
    /** @type {number | null} */
    this.tabId = null;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.start = make('button', { type: 'button', 'data-testid': 'scroll-start' });
    this.start.textContent = text('scrollStart');
    this.goal = makeGoals();
    this.choice = make('div', { class: 'scroll-choice' }, this.start, this.goal);
    this.count = make('span', { 'data-testid': 'scroll-count' });
    this.stop = make('button', { type: 'button', class: 'quiet', 'data-testid': 'scroll-stop' });
    this.stop.textContent = text('scrollStop');
    this.bar = make('progress', { 'aria-label': text('scrollStart') });
    this.hint = make('p', { class: 'hint' });
    const head = make('div', { class: 'queue-head' }, this.count, this.stop);
    this.progress = make('div', { class: 'notice' }, head, this.bar, this.hint);
    this.notice = make('div', { class: 'notice', role: 'status', 'data-testid': 'scroll-notice' });
    this.notice.hidden = true;
    this.region = byId('scroll-view', HTMLElement);
    this.region.append(this.notice, this.progress, this.choice);
    this.start.addEventListener('click', () => void whileBusy(this.start, () => this.#start()));
    this.stop.addEventListener('click', () => void whileBusy(this.stop, () => this.#stop()));
  }

  /**
   * Show what goes on in a tab.
   *
   * @param {number | null} tabId The browser tab; null when there is none to scroll.
   */
  async open(tabId) {
    this.tabId = tabId;
    clearTimeout(this.timer);
    this.region.hidden = tabId === null;
    await this.#refresh(false);
  }

  /** Start a run. */
  async #start() {
    try {
      const target = this.tabId === null ? null : await this.told.chooseTarget();
      if (this.tabId === null || target === null) return;
      notify(this.notice, 'plain');
      this.told.onStarted();
      const goal_count = Number(this.goal.value);
      this.#show(await send('start-scroll', { ...target, tab_id: this.tabId, goal_count }), true);
    } catch (error) {
      await this.told.onError(error);
    }
  }

  /** Stop the run. */
  async #stop() {
    if (this.tabId === null) return;
    try {
      this.#show(await send('stop-scroll', { tab_id: this.tabId }), true);
    } catch (error) {
      await this.told.onError(error);
    }
  }

  /**
   * Ask how things are, and ask again while a run goes on.
   *
   * @param {boolean} isFollowed Whether it was seen going on.
   */
  async #refresh(isFollowed) {
    if (this.tabId === null) return;
    try {
      this.#show(await send('read-scroll', { tab_id: this.tabId }), isFollowed);
    } catch (error) {
      await this.told.onError(error);
    }
  }

  /**
   * Show a run.
   *
   * @param {ScrollState | null} state The run; null when there is none.
   * @param {boolean} isFollowed Whether it was seen going on.
   */
  #show(state, isFollowed) {
    clearTimeout(this.timer);
    const isOn = state !== null && state.phase !== 'ended' && state.error === null;
    this.choice.hidden = isOn;
    this.progress.hidden = !isOn;
    if (isOn) this.#showProgress(state);
    else if (state !== null) this.#showEnd(state, isFollowed);
    if (isOn) this.timer = setTimeout(() => void this.#refresh(true), POLL_MS);
  }

  /** @param {ScrollState} state A run that goes on. */
  #showProgress(state) {
    const { phase, count, goal_count, label, dataset_name } = state;
    const target = text('scrollTarget', label, dataset_name);
    const isCapturing = phase === 'capturing';
    this.count.textContent = isCapturing
      ? textCount('scrollCapturing', count)
      : `${describeCount(state)} · ${target}`;
    this.bar.max = goal_count;
    this.bar.value = count;
    this.stop.hidden = isCapturing;
    this.hint.textContent = phase === 'hidden' ? text('scrollHidden') : '';
    this.hint.hidden = phase !== 'hidden';
  }

  /**
   * Say what came of a run, and let it be forgotten: it was read.
   *
   * @param {ScrollState} state The run.
   * @param {boolean} isFollowed Whether it was seen going on.
   */
  #showEnd(state, isFollowed) {
    const { title, note, isTrouble } = describeEnd(state);
    notify(this.notice, isTrouble ? 'warn' : 'good', make('b', {}, title), ` ${note}`);
    if (this.tabId !== null) void send('forget-scroll', { tab_id: this.tabId });
    if (isFollowed) void this.told.onCaptured();
  }
}

/** @returns {HTMLSelectElement} The choice of how many. */
function makeGoals() {
  const options = GOALS.map((goal) => make('option', { value: String(goal) }, formatNumber(goal)));
  const attributes = { 'aria-label': text('scrollGoal'), 'data-testid': 'scroll-goal' };
  const select = make('select', attributes, ...options);
  select.value = String(DEFAULT_GOAL);
  return select;
}
