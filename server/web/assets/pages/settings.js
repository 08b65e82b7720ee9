/**
 * Settings: which browsers and programs hold a token, a new one for a program, and what this server is.
 */
import { copyable } from '../components/copyable.js';
import { confirmDialog } from '../components/dialogs.js';
import { factList } from '../components/facts.js';
import { messagePlace, runAction, toast } from '../components/notices.js';
import { sitesCard } from '../components/sites-card.js';
import { h, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';
import { timeElement } from '../lib/format.js';
import { createToken, listTokens, readServer, revokeToken } from '../lib/resources.js';

/** @typedef {import('../lib/types.js').Token} Token */

/** @type {Record<Token['kind'], string>} */
const KINDS = {
  owner: 'this machine',
  web: 'a browser that is signed in',
  extension: 'a browser’s extension',
  trainer: 'a trainer',
  api: 'a program',
};

/**
 * @param {Token} token One of them.
 * @param {() => void} onRevoke Told of a press.
 * @returns {HTMLElement} A row of the table.
 */
function tokenRow(token, onRevoke) {
  return h(
    'tr',
    { 'data-testid': 'token' },
    h('th', { scope: 'row' }, token.name),
    h('td', {}, KINDS[token.kind]),
    h('td', {}, timeElement(token.created_at)),
    h('td', {}, token.last_used_at ? timeElement(token.last_used_at) : 'never'),
    h(
      'td',
      {},
      h(
        'button',
        {
          type: 'button',
          class: 'button small',
          'aria-label': `Revoke ${token.name}`,
          onclick: onRevoke,
        },
        'Revoke',
      ),
    ),
  );
}

/**
 * @param {Token[]} tokens All of them.
 * @param {(token: Token) => void} onRevoke Told of a press.
 * @returns {HTMLElement} The table.
 */
function tokenTable(tokens, onRevoke) {
  const heads = ['Name', 'Held by', 'Made', 'Used', ''];
  return h(
    'table',
    { class: 'wide is-list' },
    h(
      'thead',
      {},
      h('tr', {}, ...heads.map((head) => (head ? h('th', { scope: 'col' }, head) : h('td')))),
    ),
    h('tbody', {}, ...tokens.map((token) => tokenRow(token, () => onRevoke(token)))),
  );
}

/**
 * @param {() => Promise<void>} onMade Told when there is one more.
 * @returns {HTMLElement} The form for a new token; its text is shown this once.
 */
function tokenForm(onMade) {
  const message = messagePlace();
  const shown = h('div', { role: 'status' });
  const name = h('input', {
    required: true,
    maxlength: 100,
    placeholder: 'What it is for',
    'data-testid': 'token-name',
  });
  const button = h('button', { class: 'button', 'data-testid': 'make-token' }, 'Make a token');
  const make = async () => {
    const made = await createToken(name.value.trim());
    name.value = '';
    replace(
      shown,
      h('p', {}, `The token of “${made.name}”. Copy it now: it is not shown again.`),
      copyable(made.token, 'the token'),
    );
    await onMade();
  };
  const form = h(
    'form',
    { class: 'stack tight' },
    h(
      'label',
      { class: 'field' },
      'A token for a program or a trainer',
      h('div', { class: 'row' }, name, button),
    ),
    message,
    shown,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void runAction(button, message, make);
  });
  return form;
}

/**
 * @param {import('../lib/types.js').Server} server What answers here.
 * @returns {HTMLElement} What there is to know of it.
 */
function aboutServer(server) {
  const facts = factList([
    ['Version', server.version],
    ['Signed in as', server.token.name],
    [
      'Trainer',
      server.trainer.enabled
        ? (server.trainer.state ?? 'runs beside this server')
        : 'not started by this server',
    ],
    ['Extension’s folder', server.extension_path ? h('code', {}, server.extension_path) : null],
    ['Interface for programs', h('a', { href: '/docs' }, 'Reference of the API')],
  ]);
  return h(
    'section',
    { class: 'card stack tight' },
    h('h2', {}, 'This server'),
    facts,
    h(
      'p',
      { class: 'muted small' },
      'What the server does is set where it is started: by its environment or its file of settings.',
    ),
  );
}

/**
 * Show the settings.
 * @param {import('../lib/types.js').PageContext} context Where, and until when.
 */
export async function show({ root, signal }) {
  document.title = 'Settings · Bowerbird';
  const server = await readServer(signal);
  const table = h('div', {
    class: 'scroll-x',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Tokens',
  });
  const draw = async () => {
    const { items } = await listTokens(signal);
    replace(
      table,
      tokenTable(items, (token) => void revoke(token)),
    );
  };
  const revoke = async (/** @type {Token} */ token) => {
    const question = {
      title: `Revoke ${token.name}?`,
      text: 'Whoever holds it can no longer use this server. Images stay.',
      yes: 'Revoke',
      isDangerous: true,
    };
    if (!(await confirmDialog(question, signal))) return;
    try {
      await revokeToken(token.id);
      await draw();
    } catch (error) {
      toast(explainError(error));
    }
  };
  await draw();
  replace(
    root,
    h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, 'Settings')),
    h(
      'div',
      { class: 'stack' },
      h('section', { class: 'card stack' }, h('h2', {}, 'Tokens'), table, tokenForm(draw)),
      sitesCard(signal),
      aboutServer(server),
    ),
  );
}
