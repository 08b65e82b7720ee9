/**
 * Images with what the label says and what the model says: the top losses, or one cell of the confusion matrix.
 */
import { h, picture, replace } from '../lib/dom.js';
import { percent } from '../lib/format.js';
import { findImage, thumbnailUrl } from '../lib/resources.js';
import { Labelling } from './labelling.js';
import { openLoupe } from './loupe.js';
import { toast } from './notices.js';

/** @typedef {import('../lib/types.js').EvaluationItem} EvaluationItem */
/** @typedef {import('../lib/types.js').Image} Image */

/**
 * @param {EvaluationItem} item One row of the evaluation.
 * @returns {HTMLElement} Predicted, actual, loss, probability.
 */
function verdict(item) {
  const isRight = item.label === item.predicted;
  return h(
    'div',
    { class: 'loss-text' },
    h(
      'span',
      { class: isRight ? 'is-right' : 'is-wrong' },
      isRight ? '✓ ' : '✗ ',
      h('strong', {}, item.predicted),
      ` ${percent(item.probability, 0)}`,
    ),
    h('span', { class: 'muted' }, `labelled ${item.label}`),
    h('span', { class: 'muted tabular' }, `loss ${item.loss.toFixed(2)}`),
  );
}

/**
 * @param {{items: EvaluationItem[], datasetId: string, labels: string[], signal: AbortSignal}} options What to show.
 * @returns {HTMLElement} A grid of cards; each opens the loupe, where the label can be mended.
 */
export function evaluatedImages({ items, datasetId, labels, signal }) {
  /** @type {Map<string, Image>} */
  const known = new Map();
  const labelling = new Labelling(datasetId, labels);
  const keep = (/** @type {Image[]} */ images) => {
    for (const image of images) known.set(image.sha256 ?? '', image);
  };
  labelling.listen({ onImages: keep }, signal);
  const open = (/** @type {EvaluationItem} */ item) => {
    const images = () => items.flatMap((each) => known.get(each.sha256) ?? []);
    const index = images().findIndex((image) => image.sha256 === item.sha256);
    if (index < 0) {
      toast('This image is no longer in the dataset.');
      return;
    }
    openLoupe({
      source: { total: () => images().length, at: (at) => images()[at] },
      index,
      labelling,
      signal,
      extra: (image) => {
        const row = items.find((each) => each.sha256 === image.sha256);
        return row ? verdict(row) : null;
      },
    });
  };
  const cards = items.map((item) => {
    const frame = h('span', { class: 'loss-frame' });
    const card = h(
      'li',
      { class: 'loss-card', 'data-testid': 'evaluated' },
      h(
        'button',
        { type: 'button', class: 'loss-button', onclick: () => open(item) },
        frame,
        verdict(item),
      ),
    );
    return { item, frame, card };
  });
  const load = async (/** @type {(typeof cards)[number]} */ { item, frame }) => {
    const image = await findImage(datasetId, item.sha256, signal);
    if (!image) return;
    known.set(item.sha256, image);
    const alt = `Labelled ${item.label}`;
    replace(frame, picture(thumbnailUrl(image.id), alt, { width: 150, height: 150 }));
  };
  // A failure leaves the row, which stands for itself; a lost sign-in has been announced.
  for (const card of cards) void load(card).catch(() => undefined);
  return h('ul', { class: 'losses' }, ...cards.map(({ card }) => card));
}
