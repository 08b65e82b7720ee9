/** The captures that no server has acknowledged yet. */
import { send } from '../lib/send.js';
import { text, textCount } from '../lib/text.js';
import { armButton } from '../ui/armed-button.js';
import { byId, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').QueuedCapture} QueuedCapture */

/** Shows how much waits, and why. */
export class QueueView {
  /** @param {import('./page.js').Page} page The rest of the page. */
  constructor(page) {
    const retry = byId('retry-queue', HTMLButtonElement);
    retry.addEventListener('click', () => {
      void whileBusy(retry, () =>
        page.report(async () => {
          await send('retry-queue', null);
          await page.refresh();
        }),
      );
    });
    const words = { name: 'optionsQueueForget', sure: 'optionsQueueSure' };
    armButton(byId('forget-queue', HTMLButtonElement), words, () =>
      page.report(async () => {
        await send('forget-captures', { capture_key: null });
        await page.refresh();
        page.say('plain', text('optionsQueueForgotten'));
      }),
    );
  }

  /** @param {QueuedCapture[]} captures What waits. */
  show(captures) {
    const imageCount = captures.reduce((sum, { candidate_count }) => sum + candidate_count, 0);
    const images = textCount('images', imageCount);
    const why = captures.find(({ error }) => error !== null)?.error ?? '';
    byId('queue-state', HTMLElement).textContent =
      captures.length === 0
        ? text('optionsQueueNone')
        : `${textCount('optionsQueueSome', captures.length, images)} ${why}`.trim();
    byId('queue-actions', HTMLElement).hidden = captures.length === 0;
  }
}
