/** The captures that the server has not acknowledged yet, with what can be done about them. */
import { messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { text, textCount } from '../lib/text.js';
import { make, notify, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').QueuedCapture} QueuedCapture */

/** The background sends by itself, above all when the popup has found that the server answers. */
const LOOK_AGAIN_MS = 2000;

/** Shows the queue; nothing while it is empty. */
export class QueueView {
  /**
   * @param {HTMLElement} region Where it is shown.
   * @param {() => Promise<void>} onSent Told when captures may have been sent.
   */
  constructor(region, onSent) {
    this.region = region;
    this.onSent = onSent;
    /** @type {QueuedCapture[]} */
    this.captures = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * Show the queue as it is now.
   *
   * @param {string | null} said The error that is said elsewhere at this moment.
   */
  async refresh(said = null) {
    this.#show(await send('list-queue', null), said);
  }

  /**
   * Show what waits.
   *
   * @param {QueuedCapture[]} captures What waits.
   * @param {string | null} said As for `refresh`.
   */
  #show(captures, said = null) {
    this.captures = captures;
    this.#waitToLook(said);
    if (captures.length === 0) return notify(this.region, 'plain');
    const hasRefused = captures.some(({ state }) => state === 'refused');
    const retry = make('button', { type: 'button', class: 'quiet' }, text('queueSend'));
    retry.dataset['testid'] = 'queue-retry';
    retry.addEventListener('click', () => void whileBusy(retry, () => this.#retry()));
    const title = textCount('queueTitle', captures.length);
    // One trouble mostly holds up all of them.
    const [error = null, ...others] = new Set(captures.flatMap((each) => each.error ?? []));
    const common = others.length > 0 || error === said ? null : error;
    const list = make(
      'details',
      { class: 'queue-list' },
      make('summary', {}, text('queueShow')),
      make('ul', {}, ...captures.map((capture) => this.#makeLine(capture, common === null))),
    );
    // What was refused stays until the person decides.
    list.open = hasRefused || this.region.querySelector('details')?.open === true;
    notify(
      this.region,
      hasRefused ? 'bad' : 'warn',
      make('div', { class: 'queue-head' }, make('b', {}, title), retry),
      ...(common === null ? [] : [make('p', {}, common)]),
      list,
    );
  }

  /**
   * Describe one capture.
   *
   * @param {QueuedCapture} capture What waits.
   * @param {boolean} hasOwnError Whether to say why; else that is said of all of them.
   * @returns {HTMLElement} Its line.
   */
  #makeLine({ capture_key, dataset_name, label, candidate_count, ...rest }, hasOwnError) {
    const { attempt_count, error } = rest;
    const what = textCount('queueLine', candidate_count, label, dataset_name);
    const forget = make(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': text('queueDropName', what) },
      text('queueDrop'),
    );
    forget.dataset['testid'] = 'queue-forget';
    forget.addEventListener('click', () => {
      void whileBusy(forget, async () => {
        this.#show(await send('forget-captures', { capture_key }));
      });
    });
    const words =
      hasOwnError && error !== null ? textCount('queueError', attempt_count, what, error) : what;
    return make('li', {}, make('span', {}, words), forget);
  }

  /**
   * Look again later, as long as something waits.
   *
   * @param {string | null} said As for `refresh`.
   */
  #waitToLook(said) {
    clearTimeout(this.timer);
    if (this.captures.length === 0) return;
    this.timer = setTimeout(() => void this.#lookAgain(said), LOOK_AGAIN_MS);
  }

  /**
   * Show what has changed; nothing else, since that would take the keyboard from where it is.
   *
   * @param {string | null} said As for `refresh`.
   */
  async #lookAgain(said) {
    const former = this.captures;
    const captures = await send('list-queue', null);
    if (former !== this.captures) return;
    if (JSON.stringify(captures) === JSON.stringify(former)) return this.#waitToLook(said);
    this.#show(captures, said);
    if (captures.length < former.length) await this.onSent();
  }

  /** Send what waits, now. */
  async #retry() {
    try {
      this.#show(await send('retry-queue', null));
      await this.onSent();
    } catch (error) {
      notify(this.region, 'bad', messageOf(error));
    }
  }
}
