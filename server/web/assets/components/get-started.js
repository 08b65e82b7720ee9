/**
 * The five steps from an empty folder to a working model, each ticked by what the server knows.
 */
import { h } from '../lib/dom.js';
import { hashFor } from '../lib/router.js';
import { pairingPanel } from './pairing.js';
import { loadInstructions } from './setup-steps.js';

/** @typedef {import('../lib/dom.js').Child} Child */

/**
 * @typedef {object} Progress
 * @property {boolean} isPaired An extension holds a token (so it is loaded, too).
 * @property {boolean} hasImages A dataset has images.
 * @property {boolean} hasModel A model exists.
 * @property {string | null} datasetId Where to train.
 */

/**
 * @param {{number: number, title: string, isDone: boolean, isCurrent: boolean}} step Its state.
 * @param {...import('../lib/dom.js').Child} content What to do.
 * @returns {HTMLElement} A step; the current one is open.
 */
function stepItem({ number, title, isDone, isCurrent }, ...content) {
  const mark = h(
    'span',
    { class: isDone ? 'step-mark is-done' : 'step-mark' },
    isDone ? '✓' : String(number),
  );
  return h(
    'li',
    { class: isDone ? 'step is-done' : 'step' },
    h(
      'details',
      { open: isCurrent },
      h(
        'summary',
        {},
        mark,
        h('span', { class: 'step-title' }, title),
        isDone && h('span', { class: 'visually-hidden' }, '(done)'),
      ),
      h('div', { class: 'step-body' }, ...content),
    ),
  );
}

/** @param {Element} step Shown as done from now on. */
function tick(step) {
  step.classList.add('is-done');
  const mark = step.querySelector('.step-mark');
  mark?.classList.add('is-done');
  mark?.replaceChildren('✓');
}

/**
 * @param {Progress} progress What is done.
 * @returns {boolean[]} Of each step, in order.
 */
export function stepStates({ isPaired, hasImages, hasModel }) {
  return [isPaired, isPaired, hasImages, hasModel, false];
}

/**
 * @param {Progress} progress What is done.
 * @param {string | null} extensionPath The extension's folder, when known.
 * @param {HTMLElement} pairing The panel that pairs.
 * @returns {[string, Child[]][]} Title and inside of each step.
 */
function stepContents(progress, extensionPath, pairing) {
  const { isPaired, datasetId } = progress;
  const afterLoading = 'Done? Go on with pairing, the next step: it ticks both.';
  return [
    [
      'Load the extension',
      [loadInstructions(extensionPath), !isPaired && h('p', { class: 'muted' }, afterLoading)],
    ],
    [isPaired ? 'Pair another browser' : 'Pair it with this server', [pairing]],
    [
      'Capture images',
      [
        h(
          'p',
          {},
          'Search the web for what you want to recognise, click the Bowerbird button, check the label, and press ',
          h('strong', {}, 'Capture'),
          '. Do that for at least two labels; 50 images each is a good start.',
        ),
      ],
    ],
    [
      'Train',
      [
        h(
          'p',
          {},
          'Open the dataset and press ',
          h('strong', {}, 'Train'),
          '. On a laptop it takes seconds to a few minutes.',
        ),
        datasetId &&
          h('a', { class: 'button', href: hashFor('datasets', datasetId) }, 'Open the dataset'),
      ],
    ],
    [
      'Use it',
      [
        h(
          'p',
          {},
          'Right-click any image and ask “What is this?”, use the popup, the API, or try it here.',
        ),
        h('a', { class: 'button', href: hashFor('try') }, 'Try it'),
      ],
    ],
  ];
}

/**
 * @param {Progress} progress What is done.
 * @param {{extensionPath: string | null, signal: AbortSignal, onPaired: () => void}} options For the steps' insides.
 * @returns {HTMLElement} The steps.
 */
export function getStarted(progress, { extensionPath, signal, onPaired }) {
  const states = stepStates(progress);
  const current = states.indexOf(false);
  const list = h('ol', { class: 'steps' });
  const pairing = pairingPanel({
    signal,
    onPaired: () => {
      // Ticked in place: building the steps anew would take away the note that it worked.
      for (const step of [...list.children].slice(0, 2)) tick(step);
      onPaired();
    },
  });
  const items = stepContents(progress, extensionPath, pairing).map(([title, content], index) => {
    const isDone = states[index] ?? false;
    // Loading leaves no trace in the server, so its step and pairing's are open together.
    const isCurrent = index === current || (index === 1 && current === 0);
    return stepItem({ number: index + 1, title, isDone, isCurrent }, ...content);
  });
  list.append(...items);
  return list;
}
