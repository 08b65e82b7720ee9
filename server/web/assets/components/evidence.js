/**
 * Beside an answer: the training images that look to the model most like the image.
 */
import { h, replace } from '../lib/dom.js';
import { classify, thumbnailUrl } from '../lib/resources.js';
import { hashFor } from '../lib/router.js';
import { sleep } from '../lib/live.js';
import { messagePlace, runAction } from './notices.js';

/** @typedef {import('../lib/types.js').Evidence} Evidence */
/** @typedef {{file: Blob} | {url: string}} Source */

const SHOWN = 6;
/** The model looks at up to 1,500 of its images first, at 10 ms each on a laptop; then some patience. */
const ASK_AGAIN_MS = 2_000;
const MOST_ASKED = 60;

const NOTHING =
  'The model cannot tell: it has too few training images left, or does not say what it sees in them.';

/**
 * @param {Evidence} evidence What was found.
 * @returns {HTMLElement} The images with their labels, or why there are none.
 */
export function neighbourList({ state, neighbours }) {
  if (state !== 'found' || neighbours.length === 0) return h('p', { class: 'muted' }, NOTHING);
  return h(
    'ul',
    { class: 'plain evidence', 'data-testid': 'evidence-list' },
    ...neighbours.map(({ image_id, label, similarity }) =>
      h(
        'li',
        {},
        h(
          'a',
          { href: hashFor('images', image_id) },
          h('img', { src: thumbnailUrl(image_id), alt: '', loading: 'lazy' }),
          h('span', {}, label),
        ),
        h('span', { class: 'muted small tabular' }, similarity.toFixed(2)),
      ),
    ),
  );
}

/**
 * @param {Source} source What was asked about.
 * @param {string | null} model Which model.
 * @param {AbortSignal} signal Of the question.
 * @param {() => void} onWait Told each time that there is none yet.
 * @returns {Promise<Evidence>} What the server found, once it has.
 */
async function wait(source, model, signal, onWait) {
  for (let asked = 0; asked < MOST_ASKED; asked += 1) {
    const { evidence } = await classify(source, model, signal, SHOWN);
    if (evidence && evidence.state !== 'being-made') return evidence;
    onWait();
    await sleep(ASK_AGAIN_MS, signal);
  }
  throw new Error('The model is still looking at its training images. Ask again in a minute.');
}

/**
 * @param {Source} source What was asked about.
 * @param {string | null} model Which model.
 * @param {AbortSignal} signal Of the question.
 * @returns {HTMLElement} A button, and below it what it brings.
 */
export function evidencePanel(source, model, signal) {
  const place = h('div', { class: 'stack tight', 'aria-live': 'polite' });
  const message = messagePlace();
  const show = async () => {
    const onWait = () =>
      replace(
        place,
        h(
          'p',
          { class: 'muted' },
          'The model looks at its training images: this once, some seconds …',
        ),
      );
    try {
      const evidence = await wait(source, model, signal, onWait);
      const title = h('h3', { tabindex: -1 }, 'Closest images that it has learned from');
      button.hidden = true;
      replace(
        place,
        title,
        neighbourList(evidence),
        h(
          'p',
          { class: 'muted small' },
          'The number says how alike the model finds them: 1 is the same, 0 is nothing alike.',
        ),
      );
      // The button that had the keyboard is gone.
      title.focus();
    } catch (error) {
      replace(place);
      if (!signal.aborted) throw error;
    }
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button',
      'data-testid': 'evidence',
      onclick: () => void runAction(button, message, show),
    },
    'Show the closest training images',
  );
  return h('div', { class: 'stack tight' }, h('div', {}, button), place, message);
}
