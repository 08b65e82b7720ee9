/**
 * The nightly refresh of a dataset: whether, when, and what came of the last runs. Nothing is asked of the server
 * before the card is opened.
 */
import { h, replace } from '../lib/dom.js';
import { plural, timeElement } from '../lib/format.js';
import { poll } from '../lib/live.js';
import { readRefresh, runRefresh, saveRefresh } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { errorCard, loadingNote, messagePlace, runAction, toast } from './notices.js';

/** @typedef {import('../lib/refresh.js').Refresh} Refresh */
/** @typedef {import('../lib/refresh.js').RefreshRun} RefreshRun */

/** A training takes minutes. */
const LOOK_MS = 5_000;
const MOST_SHOWN = 7;
const WHAT =
  'What was newly reviewed is trained by the live model’s recipe and compared with it. The new model stays a ' +
  'candidate: you make it live.';

/**
 * @param {RefreshRun} run One.
 * @returns {string} How far it is, or what came of it.
 */
export function runSentence(run) {
  if (run.state === 'waiting') return 'It is about to begin.';
  if (run.state === 'training') return 'It is being trained.';
  return run.sentence ?? '';
}

/**
 * @param {RefreshRun} run One.
 * @returns {HTMLElement} What came of it, with the way to the model or the job.
 */
function runRow(run) {
  const link = run.model_id
    ? h('a', { href: hashFor('models', run.model_id) }, 'Look at the model')
    : run.job_id && h('a', { href: hashFor('jobs', run.job_id) }, 'Look at the training');
  return h(
    'li',
    { class: 'stack tight', 'data-testid': 'refresh-run' },
    h('span', {}, runSentence(run)),
    h('span', { class: 'muted small' }, timeElement(run.created_at), link && ' · ', link),
  );
}

/**
 * @param {string} datasetId Which dataset.
 * @param {Refresh} now As it is.
 * @returns {HTMLElement} The form.
 */
function wishForm(datasetId, now) {
  const message = messagePlace();
  const isOn = h('input', { type: 'checkbox', checked: now.is_on, 'data-testid': 'refresh-on' });
  const hour = h('input', {
    type: 'number',
    min: 0,
    max: 23,
    value: now.hour,
    required: true,
    'data-testid': 'refresh-hour',
  });
  const least = h('input', {
    type: 'number',
    min: 1,
    max: 1_000_000,
    value: now.least_new_count,
    required: true,
    'data-testid': 'refresh-least',
  });
  const button = h('button', { class: 'button', 'data-testid': 'refresh-save' }, 'Save');
  const save = async () => {
    await saveRefresh(datasetId, {
      is_on: isOn.checked,
      hour: hour.valueAsNumber,
      least_new_count: least.valueAsNumber,
    });
    toast(isOn.checked ? 'It will be refreshed by night.' : 'It is not refreshed by night.');
  };
  return h(
    'form',
    {
      class: 'stack tight',
      onsubmit: (event) => {
        event.preventDefault();
        void runAction(button, message, save);
      },
    },
    h('label', { class: 'check' }, isOn, h('span', {}, 'Refresh it every night')),
    h('label', { class: 'field' }, 'Hour, by the server’s clock (0 to 23)', hour),
    h('label', { class: 'field' }, 'Newly reviewed images at least', least),
    h('div', { class: 'row' }, button),
    message,
  );
}

/**
 * @param {string} datasetId Which dataset.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The card, closed.
 */
export function refreshCard(datasetId, signal) {
  const form = h('div', {}, loadingNote());
  const runs = h('div', { class: 'stack tight', 'aria-live': 'polite' });
  const message = messagePlace();
  let shown = '';
  const look = async () => {
    if (!card.open && shown !== '') return;
    const now = await readRefresh(datasetId, signal);
    if (shown === '') replace(form, wishForm(datasetId, now));
    const next = JSON.stringify([now.runs, now.new_count]);
    if (next === shown || runs.contains(document.activeElement)) return;
    shown = next;
    replace(
      runs,
      h(
        'p',
        {},
        `${plural(now.new_count, 'image was', 'images were')} reviewed since the last model.`,
      ),
      now.runs.length > 0 &&
        h('ul', { class: 'plain stack tight' }, ...now.runs.slice(0, MOST_SHOWN).map(runRow)),
    );
  };
  const run = async () => {
    await runRefresh(datasetId);
    await look();
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button small',
      'data-testid': 'refresh-run-now',
      onclick: () => void runAction(button, message, run),
    },
    'Run now',
  );
  const open = () => {
    void poll(look, LOOK_MS, signal).catch((error) => replace(form, errorCard(error)));
  };
  const card = h(
    'details',
    { class: 'card', 'data-testid': 'refresh' },
    h('summary', {}, h('h2', {}, 'Nightly refresh')),
    h(
      'div',
      { class: 'stack' },
      h('p', { class: 'muted small' }, WHAT),
      form,
      runs,
      h('div', { class: 'row' }, button),
      message,
    ),
  );
  card.addEventListener('toggle', open, { once: true });
  return card;
}
