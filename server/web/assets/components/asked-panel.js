/**
 * Beside a model: what it was asked, as far as that is kept, and the button that deletes it.
 */
import { h, replace } from '../lib/dom.js';
import { count, percent, plural } from '../lib/format.js';
import { forgetPredictions, readPredictionCounts } from '../lib/resources.js';
import { confirmDialog } from './dialogs.js';
import { plainTable } from './figures.js';
import { messagePlace, runAction, toast } from './notices.js';

/** @typedef {import('../lib/types.js').PredictionCounts} Counts */

/** Of a panel beside the page; the command line has all. */
const MOST_LABELS = 12;

/** @type {Record<Counts['mode'], string>} */
const KEPT = {
  off: 'Nothing is kept of new answers: the setting BOWERBIRD_PREDICTION_LOG__MODE is off.',
  counts: 'Only counts by day are kept: no image, and nothing of who asked.',
  images: 'Images are kept for some days with their answers, and nothing of who asked.',
};

/**
 * @param {Counts} counts What was asked.
 * @returns {HTMLElement} The most frequent labels.
 */
function labelTable(counts) {
  const rows = counts.labels
    .slice(0, MOST_LABELS)
    .map((one) => [one.label, count(one.count), count(one.abstained)]);
  return plainTable('Answers by label', ['Label', 'Answers', 'Abstained'], rows);
}

/**
 * @param {string} modelId Which model.
 * @param {Counts} counts What it was asked.
 * @param {AbortSignal} signal Of the page.
 * @returns {HTMLElement} The panel.
 */
export function askedPanel(modelId, counts, signal) {
  const place = h('div', { class: 'stack tight' });
  const message = messagePlace();
  const forget = async () => {
    const isSure = await confirmDialog(
      {
        title: 'Forget what it was asked?',
        text: 'Counts, answers and kept images of this model are deleted. It cannot be undone.',
        yes: 'Forget it',
        isDangerous: true,
      },
      signal,
    );
    if (!isSure) return;
    await forgetPredictions(modelId);
    draw(await readPredictionCounts(modelId, signal));
    toast('What the model was asked is forgotten.');
  };
  const draw = (/** @type {Counts} */ now) => {
    const button = h(
      'button',
      {
        type: 'button',
        class: 'button',
        'data-testid': 'forget-predictions',
        onclick: () => void runAction(button, message, forget),
      },
      'Forget it',
    );
    const sum = `${plural(now.count, 'answer')} in the last ${plural(now.days, 'day')}`;
    const abstained = `, ${percent(now.abstained / Math.max(now.count, 1))} of them "none of these"`;
    replace(
      place,
      now.count > 0 && h('p', { 'data-testid': 'asked-count' }, sum, abstained, '.'),
      now.count > 0 && labelTable(now),
      h('p', { class: 'muted small' }, KEPT[now.mode]),
      now.count > 0 && h('div', { class: 'row' }, button),
      message,
    );
  };
  draw(counts);
  return h(
    'section',
    { class: 'card stack', 'data-testid': 'asked' },
    h('h2', {}, 'What it was asked'),
    place,
  );
}
