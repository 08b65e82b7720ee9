/**
 * What somebody sees whom the server does not know: how to sign in, and already how to load the extension.
 */
import { loadInstructions } from '../components/setup-steps.js';
import { messagePlace, runAction } from '../components/notices.js';
import { h, replace } from '../lib/dom.js';
import { copyable } from '../components/copyable.js';
import { Problem } from '../lib/api.js';
import { explainError } from '../lib/explain.js';
import { signIn } from '../lib/resources.js';

/**
 * @param {() => void} onSignedIn Told when the server took the token.
 * @returns {HTMLElement} The form for a pasted token.
 */
function tokenForm(onSignedIn) {
  const input = h('input', {
    type: 'password',
    required: true,
    autocomplete: 'current-password',
    spellcheck: 'false',
    'data-testid': 'token-input',
  });
  const message = messagePlace();
  const button = h('button', { class: 'button primary', 'data-testid': 'sign-in' }, 'Sign in');
  const submit = async () => {
    await signIn(input.value.trim());
    onSignedIn();
  };
  const explain = (/** @type {unknown} */ error) =>
    error instanceof Problem && (error.status === 401 || error.status === 403)
      ? [
          'The server does not know this token. Copy the whole line of the file, or use ',
          h('code', {}, 'bowerbird open'),
          '.',
        ]
      : [explainError(error)];
  return h(
    'form',
    {
      class: 'stack',
      onsubmit: (event) => {
        event.preventDefault();
        void runAction(button, message, submit, explain);
      },
    },
    h('label', { class: 'field' }, 'Token', h('div', { class: 'row' }, input, button)),
    message,
  );
}

/**
 * @param {() => void} onSignedIn Told when the server took the token.
 * @returns {HTMLElement} The three ways in.
 */
function waysIn(onSignedIn) {
  return h(
    'ol',
    { class: 'ways' },
    h(
      'li',
      {},
      'Open the link that ',
      h('code', {}, 'bowerbird serve'),
      ' printed when it started, or',
    ),
    h(
      'li',
      {},
      'run ',
      copyable('bowerbird open', 'the command'),
      ' (in the project’s folder: ',
      copyable('.venv/bin/bowerbird open', 'the command'),
      '), or',
    ),
    h(
      'li',
      {},
      'paste the token from the file ',
      h('code', {}, 'data/token'),
      ':',
      tokenForm(onSignedIn),
    ),
  );
}

/** @returns {boolean} Whether the server sent the person here because their link works no more. */
function isLinkSpent() {
  return new URLSearchParams(location.search).get('link') === 'spent';
}

/**
 * Show the sign-in page.
 * @param {HTMLElement} root Where.
 * @param {() => void} onSignedIn Told when it worked.
 */
export function showSignIn(root, onSignedIn) {
  document.title = 'Sign in · Bowerbird';
  replace(
    root,
    h(
      'div',
      { class: 'hero' },
      h('img', { src: '/assets/bower.svg', alt: '', width: 160, height: 120 }),
      h(
        'div',
        {},
        h('h1', { tabindex: -1 }, 'Bowerbird'),
        h(
          'p',
          { class: 'lead' },
          'From browsing to a working image classifier, on your own machine.',
        ),
      ),
    ),
    h(
      'section',
      { class: 'card', 'data-testid': 'sign-in-card' },
      h('h2', {}, 'Sign in'),
      h(
        'div',
        { class: 'stack' },
        isLinkSpent() &&
          h(
            'p',
            { class: 'message is-error', role: 'alert', 'data-testid': 'link-spent' },
            'This link was used already, or is too old.',
          ),
        h(
          'p',
          {},
          'Your images stay with you, and this page shows them only to you. Let it know that it is you in one of three ways:',
        ),
      ),
      waysIn(onSignedIn),
    ),
    h('section', { class: 'card' }, h('h2', {}, 'Load the extension'), loadInstructions(null)),
  );
}
