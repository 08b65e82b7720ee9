/** The popup's switch for the marks in the page. */
import { BowerbirdError } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { text } from '../lib/text.js';
import { byId, make } from '../ui/dom.js';
import { makeOpinionsSwitch, showOpinionsSwitch } from './opinions-switch.js';

/** @typedef {import('../lib/messages.js').Reply<'read-page-overlay'>} Switch */

/**
 * Show the switch as it stands for a tab, and below it, while there are marks, that for the model.
 *
 * @param {number | null} tabId The browser tab; without one there is no switch.
 * @param {boolean} isModelAsked How the second one stands.
 */
export async function openOverlaySwitch(tabId, isModelAsked) {
  const mount = byId('overlay-switch', HTMLElement);
  mount.hidden = true;
  makeOpinionsSwitch(isModelAsked);
  showOpinionsSwitch(false);
  if (tabId === null) return;
  const box = make('input', { type: 'checkbox', role: 'switch', 'data-testid': 'overlay-switch' });
  const words = make('span');
  const show = (/** @type {Switch} */ { is_on, scope }) => {
    box.checked = is_on;
    words.textContent = text(scope === 'sites' ? 'overlaySites' : 'overlayPage');
    showOpinionsSwitch(is_on);
  };
  box.addEventListener('change', () => {
    const isOn = box.checked;
    void turn(tabId, isOn).then((now) => (now === null ? (box.checked = !isOn) : show(now)));
  });
  const state = await ask('read-page-overlay', { tab_id: tabId });
  if (state === null) return;
  show(state);
  mount.replaceChildren(make('label', { class: 'switch' }, box, words));
  mount.hidden = false;
}

/**
 * Turn marks on or off.
 *
 * @param {number} tabId The tab.
 * @param {boolean} isOn Which of the two.
 * @returns {Promise<Switch | null>} How the switch stands then; null where the page can't be reached.
 */
function turn(tabId, isOn) {
  return ask('turn-page-overlay', { tab_id: tabId, is_on: isOn });
}

/**
 * Ask the background.
 *
 * @template {'read-page-overlay' | 'turn-page-overlay'} T
 * @param {T} type Which message.
 * @param {import('../lib/messages.js').Request<T>} request Its content.
 * @returns {Promise<Switch | null>} The reply; null where there is no such page any more.
 */
async function ask(type, request) {
  try {
    return await send(type, request);
  } catch (error) {
    // The view says what is wrong with the page; marks are no more than a help.
    if (!(error instanceof BowerbirdError)) throw error;
    return null;
  }
}
