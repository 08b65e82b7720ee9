/** The captures that the server has not acknowledged yet, with what can be done about them. */
import { messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { text, textCount } from '../lib/text.js';
import { make, notify, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').QueuedCapture} QueuedCapture */

/** Shows the queue; nothing while it is empty. */
export class QueueView {
  /**
   * @param {HTMLElement} region Where it is shown.
   * @param {() => Promise<void>} onSent Told when captures may have been sent.
   */
  constructor(region, onSent) {
    this.region = region;
    this.onSent = onSent;
  }

  /** Show the queue as it is now. */
  async refresh() {
    this.#show(await send('list-queue', null));
  }

  /** @param {QueuedCapture[]} captures What waits. */
  #show(captures) {
    if (captures.length === 0) return notify(this.region, 'plain');
    const hasRefused = captures.some(({ state }) => state === 'refused');
    const retry = make('button', { type: 'button', class: 'quiet' }, text('queueSend'));
    retry.dataset['testid'] = 'queue-retry';
    retry.addEventListener('click', () => void whileBusy(retry, () => this.#retry()));
    const what = textCount('queueTitle', captures.length);
    notify(
      this.region,
      hasRefused ? 'bad' : 'warn',
      make('div', { class: 'queue-head' }, make('b', {}, what), retry),
      make('ul', { class: 'queue-list' }, ...captures.map((capture) => this.#makeLine(capture))),
    );
  }

  /**
   * Describe one capture.
   *
   * @param {QueuedCapture} capture What waits.
   * @returns {HTMLElement} Its line.
   */
  #makeLine({ capture_key, dataset_name, label, candidate_count, attempt_count, error }) {
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
    return make(
      'li',
      {},
      make('span', {}, error === null ? what : textCount('queueError', attempt_count, what, error)),
      forget,
    );
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
