/**
 * Short messages to the person: a toast that is read aloud, a message beside a button, an empty state.
 */
import { h, present, replace } from '../lib/dom.js';
import { explainError } from '../lib/explain.js';

/** Long enough to read two lines twice. */
const TOAST_MS = 6_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let toastTimer;

/**
 * Say something at the foot of the page, to eyes and screen readers.
 * @param {string} text What happened.
 * @param {{label: string, run: () => void} | null} [action] Such as undo.
 */
export function toast(text, action = null) {
  const place = document.getElementById('toast');
  if (!place) return;
  // What lies under a modal dialog can be neither seen nor pressed.
  (document.querySelector('dialog[open]') ?? document.body).append(place);
  clearTimeout(toastTimer);
  const hide = () => place.classList.remove('is-shown');
  const act = () => {
    hide();
    action?.run();
  };
  replace(
    place,
    h('span', {}, text),
    action && h('button', { type: 'button', class: 'button small', onclick: act }, action.label),
  );
  place.classList.add('is-shown');
  toastTimer = setTimeout(hide, TOAST_MS);
}

/**
 * A place beside a control for what went wrong with it.
 * @returns {HTMLElement} Empty and read aloud when filled.
 */
export function messagePlace() {
  return h('p', { class: 'message', role: 'status', 'data-testid': 'message' });
}

/**
 * Run an action of a button: it is disabled meanwhile, and a failure is said in `place`.
 * @param {HTMLButtonElement} button What was pressed.
 * @param {HTMLElement} place From {@link messagePlace}.
 * @param {() => Promise<void>} action What to do.
 * @param {(error: unknown) => (Node | string)[]} [explain] Makes the message.
 */
export async function runAction(button, place, action, explain = (error) => [explainError(error)]) {
  replace(place);
  place.classList.remove('is-error');
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  try {
    await action();
  } catch (error) {
    place.classList.add('is-error');
    place.replaceChildren(...explain(error));
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
  }
}

/**
 * @param {string} title What is not here.
 * @param {...import('../lib/dom.js').Child} next What to do about it.
 * @returns {HTMLElement} A friendly blank.
 */
export function emptyState(title, ...next) {
  return h(
    'div',
    { class: 'empty' },
    h('img', { src: '/assets/bower.svg', alt: '', width: 96, height: 72 }),
    h('p', { class: 'empty-title' }, title),
    h('div', { class: 'muted' }, ...present(next)),
  );
}

/**
 * @param {unknown} error Why a page or a part of it cannot be shown.
 * @param {(() => void) | null} [retry] Offered as a button.
 * @returns {HTMLElement} The error with what to do.
 */
export function errorCard(error, retry = null) {
  return h(
    'div',
    { class: 'card error-card', role: 'alert' },
    h('h2', {}, 'That did not work'),
    h('p', {}, explainError(error)),
    retry && h('button', { type: 'button', class: 'button', onclick: retry }, 'Try again'),
  );
}

/**
 * Say in the place of a view why it cannot be shown, unless the view has been left meanwhile. A button there that had
 * the keyboard leaves it to the retry.
 * @param {HTMLElement} place Filled.
 * @param {unknown} error Why.
 * @param {AbortSignal} signal Of the view.
 * @param {(() => void) | null} [retry] Offered as a button.
 */
export function showFailure(place, error, signal, retry = null) {
  if (signal.aborted) return;
  const hadFocus = place.contains(document.activeElement);
  replace(place, errorCard(error, retry));
  if (hadFocus) place.querySelector('button')?.focus();
}

/** @returns {HTMLElement} What stands where something is being read. */
export const loadingNote = () => h('p', { class: 'muted' }, 'Loading…');
