/** From a model's logits to its answer: `server/contract/answers.py` in another language. */

/** @typedef {import('./types.js').BundleFacts} BundleFacts */
/** @typedef {import('./types.js').HereAnswer} HereAnswer */

/**
 * @param {ArrayLike<number>} logits Of each class.
 * @param {number} temperature What they are divided by.
 * @returns {number[]} The calibrated probability of each class.
 */
export function probabilities(logits, temperature) {
  const scaled = Array.from(logits, (value) => value / temperature);
  const top = Math.max(...scaled);
  const raised = scaled.map((value) => Math.exp(value - top));
  const sum = raised.reduce((all, value) => all + value, 0);
  return raised.map((value) => value / sum);
}

/**
 * How much an image looks like one of the known classes; higher is more.
 *
 * @param {ArrayLike<number>} logits Of each class.
 * @param {number[]} said Their probabilities.
 * @param {BundleFacts} facts The model's.
 * @returns {number} In the score's own units.
 */
export function knownScore(logits, said, { classes, temperature, abstention }) {
  const isKnown = classes.map((name) => name !== abstention.background);
  if (abstention.score === 'energy') {
    const scaled = Array.from(logits, (value) => value / temperature).filter((_, i) => isKnown[i]);
    const top = Math.max(...scaled);
    return top + Math.log(scaled.reduce((all, value) => all + Math.exp(value - top), 0));
  }
  const own = Math.max(...said.filter((_, i) => isKnown[i]));
  if (abstention.score === 'max_probability') return own;
  const best = said.findIndex((value, i) => isKnown[i] && value === own);
  return Math.max(0, own - Math.max(...said.filter((_, i) => i !== best)));
}

/**
 * @param {ArrayLike<number>} logits Of each class.
 * @param {BundleFacts} facts The model's.
 * @returns {Omit<HereAnswer, 'milliseconds'>} What it says; the most probable class first.
 */
export function answer(logits, facts) {
  const said = probabilities(logits, facts.temperature);
  const { score, threshold, background } = facts.abstention;
  const predictions = facts.classes
    .map((label, i) => ({ label, probability: said[i] ?? 0 }))
    .sort((a, b) => b.probability - a.probability);
  const isBackground = background !== null && predictions[0]?.label === background;
  return {
    predictions,
    abstained: isBackground || knownScore(logits, said, facts) < threshold,
    threshold: score === 'max_probability' ? threshold : null,
  };
}
