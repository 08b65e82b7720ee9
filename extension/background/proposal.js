/** The label that the popup would propose, for what has no popup to ask. */
import { proposeLabel } from '../lib/label.js';

/**
 * Choose it.
 *
 * @param {Pick<import('../lib/types.js').Settings, 'query_labels' | 'last_labels'>} settings What is
 *   remembered.
 * @param {{id: string, labels: string[]}} dataset Where a capture would go, and its labels.
 * @param {string | null} query What was searched for on the page.
 * @returns {string} The label; empty when nothing suggests one.
 */
export function chooseLabel({ query_labels, last_labels }, { id, labels }, query) {
  return proposeLabel({ query, labels, queryLabels: query_labels, lastLabel: last_labels[id] });
}
