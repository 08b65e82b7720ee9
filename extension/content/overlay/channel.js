/** How our script in a page talks with the background. */
import { ext } from '../../lib/browser.js';

/** @typedef {import('../../lib/page-messages.js').OverlayOrder} OverlayOrder */
/** @typedef {import('../../lib/page-messages.js').OverlayState} OverlayState */

/**
 * Ask the background.
 *
 * @template {import('../../lib/page-messages.js').PageMessageType} T
 * @param {T} type Which message.
 * @param {import('../../lib/page-messages.js').PageRequest<T>} request Its content.
 * @returns {Promise<import('../../lib/page-messages.js').PageReply<T> | undefined>} The reply; nothing
 *   when it was refused, or nobody answers.
 */
export async function ask(type, request) {
  try {
    /** @type {import('../../lib/page-messages.js').PageAnswer | undefined} */
    const answer = await ext.runtime.sendMessage({ type, request });
    if (answer?.ok !== true) return undefined;
    return /** @type {import('../../lib/page-messages.js').PageReply<T>} */ (answer.reply);
  } catch {
    // The background was evicted on its way, or is no more: `isOrphaned` tells.
    return undefined;
  }
}

/** @returns {boolean} Whether the extension was reloaded or removed under this page. */
export function isOrphaned() {
  return ext.runtime?.id === undefined;
}

/**
 * Listen to the background.
 *
 * @param {(order: OverlayOrder['overlay']) => Promise<OverlayState>} onOrder Obeys, and says what is so then.
 */
export function listen(onOrder) {
  ext.runtime.onMessage.addListener(
    (/** @type {Partial<OverlayOrder>} */ message, sender, respond) => {
      if (sender.id !== ext.runtime.id || message.overlay === undefined) return false;
      void onOrder(message.overlay).then(respond);
      return true;
    },
  );
}
