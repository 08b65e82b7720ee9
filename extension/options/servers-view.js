/** The servers that this browser knows: which is in use, how each is, and pairing with another one. */
import { ext } from '../lib/browser.js';
import { messageOf } from '../lib/errors.js';
import { send } from '../lib/send.js';
import { DEFAULT_SERVER, permissionFor } from '../lib/server-address.js';
import { text, textCount } from '../lib/text.js';
import { PairingView } from '../ui/pairing-view.js';
import { armButton } from '../ui/armed-button.js';
import { byId, make, makeLink, whileBusy } from '../ui/dom.js';

/** @typedef {import('../lib/types.js').ListedServer} ListedServer */

/** Lists and changes them. */
export class ServersView {
  /** @param {import('./page.js').Page} page The rest of the page. */
  constructor(page) {
    this.page = page;
    this.form = byId('pairing-form', HTMLFormElement);
    this.addButton = byId('add-server', HTMLButtonElement);
    this.pairing = new PairingView(async ({ server }) => {
      this.#openForm(null);
      await page.refresh();
      page.say('good', text('serverAdded', server));
    });
    this.addButton.addEventListener('click', () => {
      this.#openForm(this.form.hidden ? DEFAULT_SERVER : null);
    });
  }

  /** List the servers. */
  async show() {
    const servers = await send('list-servers', null);
    byId('servers-none', HTMLElement).hidden = servers.length > 0;
    byId('servers', HTMLElement).replaceChildren(...servers.map((each) => this.#makeRow(each)));
  }

  /**
   * Show the form that pairs with a server, or hide it.
   *
   * @param {string | null} server The address to start with; null hides the form.
   */
  #openForm(server) {
    this.form.hidden = server === null;
    this.addButton.setAttribute('aria-expanded', String(server !== null));
    if (server === null) return;
    void this.page.report(() => this.pairing.open({ server, is_pairing_lost: false }));
  }

  /**
   * Describe a server.
   *
   * @param {ListedServer} server The server.
   * @returns {HTMLElement} Its row.
   */
  #makeRow(server) {
    const { url, is_active, waiting_count } = server;
    const head = make('div', { class: 'server-head' }, makeLink(`${url}/`, url));
    if (is_active) {
      const mark = { class: 'mark', 'data-testid': 'server-active' };
      head.append(make('span', mark, text('serverInUse')));
    }
    const line = make('p', { class: 'soft', 'data-testid': 'server-line' });
    const facts = [describePairing(server)];
    if (waiting_count > 0) facts.push(textCount('serverWaiting', waiting_count));
    line.textContent = [...facts, text('serverAsking')].join(' · ');
    void askVersion(url).then((answer) => {
      line.textContent = [...facts, answer].join(' · ');
    });
    const row = make('li', {}, head, line, this.#makeActions(server));
    Object.assign(row.dataset, { testid: 'server-row', url });
    return row;
  }

  /**
   * Offer what can be done with a server.
   *
   * @param {ListedServer} server The server.
   * @returns {HTMLElement} The buttons.
   */
  #makeActions({ url, is_active, paired_as }) {
    const actions = make('div', { class: 'actions' });
    const add = (
      /** @type {'use' | 'unpair' | 'pair-again' | 'forget'} */ name,
      /** @type {HTMLButtonElement} */ button,
    ) => {
      button.dataset['testid'] = `server-${name}`;
      actions.append(button);
    };
    if (!is_active) {
      add(
        'use',
        this.#makeButton('serverUse', text('serverUseName', url), () => this.#use(url)),
      );
    }
    if (paired_as === null) {
      const again = makeNamed('serverPairAgain', text('serverPairAgainName', url));
      again.addEventListener('click', () => this.#openForm(url));
      add('pair-again', again);
    } else {
      add(
        'unpair',
        this.#makeButton('serverUnpair', text('serverUnpairName', url), async () => {
          await send('unpair', { server: url });
          await this.page.refresh();
          this.page.say('good', text('serverUnpaired', url));
        }),
      );
    }
    const forget = makeNamed('serverForget', text('serverForgetName', url));
    armButton(forget, { name: 'serverForget', sure: 'serverForgetSure' }, () =>
      this.page.report(async () => {
        await send('forget-server', { server: url });
        await this.page.refresh();
        this.page.say('good', text('serverForgotten', url));
      }),
    );
    add('forget', forget);
    return actions;
  }

  /**
   * Make a button that acts on a server.
   *
   * @param {string} key Key of its name.
   * @param {string} title Its full name.
   * @param {() => Promise<void>} run What it does.
   * @returns {HTMLButtonElement} The button.
   */
  #makeButton(key, title, run) {
    const button = makeNamed(key, title);
    button.addEventListener('click', () => void whileBusy(button, () => this.page.report(run)));
    return button;
  }

  /**
   * Use a server from now on. Starts within the click, as browsers ask for permissions at no other
   * time: a server elsewhere needs one, and Firefox lets the person revoke that of loopback.
   *
   * @param {string} url Its origin.
   */
  async #use(url) {
    if (!(await ext.permissions.request({ origins: [permissionFor(url)] }))) {
      this.page.say('bad', text('pairingDenied'));
      return;
    }
    await send('choose-server', { server: url });
    await this.page.refresh();
  }
}

/**
 * Make a button whose full name says which server it is about: there is one for each of them.
 *
 * @param {string} key Key of its name.
 * @param {string} title Its full name.
 * @returns {HTMLButtonElement} The button.
 */
function makeNamed(key, title) {
  return make('button', { type: 'button', title }, text(key));
}

/**
 * Say how this browser and a server stand.
 *
 * @param {ListedServer} server The server.
 * @returns {string} For example `paired as “work laptop”`.
 */
function describePairing({ paired_as, is_pairing_lost }) {
  if (paired_as !== null) return text('serverPairedAs', paired_as);
  return text(is_pairing_lost ? 'serverPairingLost' : 'serverNotPaired');
}

/**
 * Ask a server how it is.
 *
 * @param {string} server Its origin.
 * @returns {Promise<string>} What it says, or why it says nothing.
 */
async function askVersion(server) {
  try {
    const { version } = await send('check-server', { server });
    return text('serverRunning', version);
  } catch (error) {
    return messageOf(error);
  }
}
