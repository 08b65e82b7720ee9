/** The choice among servers, for those who have paired with more than one. */
import { ext } from '../lib/browser.js';
import { messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { nameServer, permissionFor } from '../lib/server-address.js';
import { text } from '../lib/text.js';
import { byId, make, notify } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').ExtensionState} ExtensionState */

/** Runs the select; there is none with one server. */
export class ServerField {
  /** @param {(state: ExtensionState) => Promise<void>} onChosen Told when another server is in use. */
  constructor(onChosen) {
    this.onChosen = onChosen;
    this.mount = byId('server-field', HTMLElement);
    this.select = make('select', { 'aria-label': text('serverChooser'), 'data-testid': 'servers' });
    this.select.addEventListener('change', () => void this.#choose(this.select.value));
    this.mount.append(this.select);
  }

  /** Offer the servers. */
  async show() {
    const servers = await send('list-servers', null);
    const active = servers.find(({ is_active }) => is_active);
    this.select.replaceChildren(
      ...servers.map(({ url }) => make('option', { value: url, title: url }, nameServer(url))),
    );
    this.select.value = active?.url ?? '';
    this.select.title = active?.url ?? '';
    // One that is known but not in use: the pairing form is about yet another one.
    this.mount.hidden = servers.length < (active === undefined ? 1 : 2);
  }

  /**
   * Use a server from now on. A lost permission is asked for in the options: browsers do not take a
   * choice in a list for a click.
   *
   * @param {string} url Its origin.
   */
  async #choose(url) {
    const region = byId('version-notice', HTMLElement);
    try {
      if (await ext.permissions.contains({ origins: [permissionFor(url)] })) {
        notify(region, 'plain');
        await this.onChosen(await send('choose-server', { server: url }));
        return;
      }
      notify(region, 'warn', text('serverNotAllowed', url));
    } catch (error) {
      notify(region, 'bad', messageOf(error));
    }
    await this.show();
  }
}
