/**
 * Pairing a browser: show a code with its countdown until an extension has used it.
 */
import { h, replace } from '../lib/dom.js';
import { plural } from '../lib/format.js';
import { poll } from '../lib/live.js';
import { listTokens, openPairing } from '../lib/resources.js';
import { errorCard, messagePlace, runAction, toast } from './notices.js';

/** A person who types six characters does not notice two seconds. */
const CHECK_MS = 2_000;

/**
 * @param {number} left_ms Time that is left.
 * @returns {string} As minutes and seconds: 9:05.
 */
export function clock(left_ms) {
  const seconds = Math.max(0, Math.ceil(left_ms / 1000));
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
}

/**
 * @param {import('../lib/types.js').Pairing} pairing The open pairing.
 * @returns {{node: HTMLElement, tick: () => boolean}} The code; `tick` renews the time and says whether any is left.
 */
function codeCard(pairing) {
  const time = h('strong', { class: 'tabular' });
  const node = h(
    'div',
    { class: 'pairing' },
    h('p', {}, 'Type this into the Bowerbird popup of the browser that you want to pair:'),
    h(
      'p',
      {
        class: 'pairing-code',
        'data-testid': 'pairing-code',
        'aria-label': `Pairing code ${[...pairing.code].join(' ')}`,
      },
      pairing.code,
    ),
    h(
      'p',
      { class: 'muted' },
      'Good for ',
      time,
      ` and ${plural(pairing.attempts_left, 'attempt')}, once.`,
    ),
  );
  const tick = () => {
    const left_ms = Date.parse(pairing.expires_at) - Date.now();
    replace(time, clock(left_ms));
    return left_ms > 0;
  };
  tick();
  return { node, tick };
}

/**
 * @param {string} name The extension's name for itself.
 * @returns {HTMLElement} That it worked.
 */
function pairedNote(name) {
  return h(
    'p',
    { class: 'paired', 'data-testid': 'paired' },
    h('span', { class: 'tick', 'aria-hidden': 'true' }, '✓'),
    ' Paired ',
    h('strong', {}, name),
  );
}

/**
 * Wait until the code is used or over.
 * @param {{pairing: import('../lib/types.js').Pairing, place: HTMLElement, known: Set<string>, signal: AbortSignal}} state What is shown where, and which tokens there were before.
 * @returns {Promise<boolean>} Whether a browser was paired.
 */
async function watchPairing({ pairing, place, known, signal }) {
  const card = codeCard(pairing);
  replace(place, card.node);
  const timer = setInterval(card.tick, 1000);
  let isPaired = false;
  await poll(
    async () => {
      const tokens = await listTokens(signal);
      const fresh = tokens.items.find((item) => item.kind === 'extension' && !known.has(item.id));
      if (fresh) {
        isPaired = true;
        replace(place, pairedNote(fresh.name));
        toast(`Paired ${fresh.name}.`);
        return false;
      }
      if (!card.tick()) {
        replace(place, h('p', { class: 'muted' }, 'That code is over. Ask for a new one.'));
      }
      return card.tick();
    },
    CHECK_MS,
    signal,
  ).finally(() => clearInterval(timer));
  return isPaired;
}

/**
 * @param {{signal: AbortSignal, onPaired: () => void}} options When to stop, and whom to tell.
 * @returns {HTMLElement} The button and, once pressed, the code.
 */
export function pairingPanel({ signal, onPaired }) {
  const place = h('div', { 'aria-live': 'polite' });
  const message = messagePlace();
  let session = new AbortController();
  const start = async () => {
    session.abort(); // A new code makes the former one void.
    session = new AbortController();
    const both = AbortSignal.any([signal, session.signal]);
    const before = await listTokens(both);
    const pairing = await openPairing();
    const known = new Set(before.items.map((item) => item.id));
    void watchPairing({ pairing, place, known, signal: both }).then(
      (isPaired) => {
        if (isPaired) onPaired();
      },
      (error) => replace(place, errorCard(error)),
    );
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button primary',
      'data-testid': 'pair-button',
      onclick: () => void runAction(button, message, start),
    },
    'Show pairing code',
  );
  return h('div', { class: 'stack' }, h('div', {}, button), place, message);
}
