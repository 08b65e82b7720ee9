/** The form that pairs this browser with a server by a short code: in the popup and in the options. */
import { ext } from '../lib/browser.js';
import { BowerbirdError, ServerProblem, messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { parseServer, permissionFor } from '../lib/server-address.js';
import { text, textCount } from '../lib/text.js';
import { byId, notify, whileBusy } from './dom.js';

/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */

/** Runs the pairing form. */
export class PairingView {
  /** @param {(state: ExtensionState) => Promise<void>} onPaired Told when it has worked. */
  constructor(onPaired) {
    this.onPaired = onPaired;
    this.server = byId('server', HTMLInputElement);
    this.code = byId('code', HTMLInputElement);
    this.notice = byId('pairing-notice', HTMLElement);
    this.button = byId('pair', HTMLButtonElement);
    this.server.addEventListener('change', () => void this.#check());
    // Who comes back from starting the server is to see that it answers.
    addEventListener('focus', () => this.server.checkVisibility() && void this.#check());
    byId('pairing-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const permission = this.#askPermission();
      void whileBusy(this.button, () => this.#pair(permission));
    });
  }

  /**
   * Show the form.
   *
   * @param {Pick<ExtensionState, 'server' | 'is_pairing_lost'>} state What the background remembers.
   */
  async open(state) {
    this.server.value = state.server;
    notify(this.notice, 'warn', ...(state.is_pairing_lost ? [text('pairingLost')] : []));
    this.code.focus();
    await this.#check();
  }

  /** Say whether a server answers at the address, before anybody types a code. */
  async #check() {
    const line = byId('server-state', HTMLElement);
    const typed = this.server.value;
    try {
      const server = parseServer(typed);
      byId('pairing-link', HTMLAnchorElement).href = `${server}/`;
      const { version } = await send('check-server', { server });
      line.dataset['tone'] = 'good';
      line.textContent = text('pairingAnswers', version);
    } catch (error) {
      if (typed !== this.server.value) return;
      line.dataset['tone'] = 'bad';
      line.textContent = isAddressTrouble(error)
        ? `${messageOf(error)} ${text('pairingAddress')}`
        : messageOf(error);
    }
  }

  /**
   * Ask for the permission to reach the server. Must run within the click: browsers ask at no other
   * time. A loopback address is allowed from the start, and Firefox lets the person revoke that.
   *
   * @returns {Promise<boolean>} False when the person said no.
   */
  async #askPermission() {
    try {
      return await ext.permissions.request({
        origins: [permissionFor(parseServer(this.server.value))],
      });
    } catch {
      // Not an address: pairing itself will say so.
      return true;
    }
  }

  /**
   * Redeem the code.
   *
   * @param {Promise<boolean>} permission Whether the server may be reached.
   */
  async #pair(permission) {
    notify(this.notice, 'plain');
    if (!(await permission)) {
      notify(this.notice, 'bad', text('pairingDenied'));
      return;
    }
    try {
      const state = await send('pair', { server: this.server.value, code: this.code.value });
      this.code.value = '';
      await this.onPaired(state);
    } catch (error) {
      if (isAddressTrouble(error)) {
        // Said below the address, and once: the code is not to blame.
        this.server.select();
        return this.#check();
      }
      notify(this.notice, 'bad', explain(error));
      this.code.select();
    }
  }
}

/**
 * Tell whether no server of ours is where it was looked for.
 *
 * @param {unknown} error What was thrown.
 * @returns {boolean} True when the address may be wrong.
 */
function isAddressTrouble(error) {
  return (
    error instanceof BowerbirdError &&
    (error.kind === 'server-down' || error.kind === 'another-program')
  );
}

/**
 * Put a failed pairing into words.
 *
 * @param {unknown} error What was thrown.
 * @returns {string} What happened and what to do.
 */
export function explain(error) {
  if (!(error instanceof ServerProblem)) return messageOf(error);
  const left = Number(error.problem.members['attempts_left']);
  switch (error.slug) {
    case 'pairing-code-wrong':
      return left > 0 ? textCount('pairingWrongLeft', left) : text('pairingWrong');
    case 'pairing-not-open':
      return text('pairingNotOpen');
    case 'pairing-locked':
      return text('pairingLocked');
    default:
      return messageOf(error);
  }
}
