/**
 * What a model beside the live one is told in: figures, decisions and the form's fields as rules.
 */
import { count, percent } from './format.js';

/** @typedef {import('./types.js').Rollout} Rollout */
/** @typedef {import('./types.js').RolloutRules} RolloutRules */

/** @type {Record<import('./types.js').RolloutDecision['kind'], string>} */
export const DECISIONS = {
  start: 'Begun',
  wait: 'Waits',
  widen: 'Widened',
  propose: 'May go further',
  promote: 'Let further out',
  'roll-back': 'Called back',
  stop: 'Ended',
};

/**
 * @param {number} part Of the whole.
 * @param {number} whole At least 0.
 * @returns {string} Both as numbers, with the share where there is one.
 */
function ofWhole(part, whole) {
  return whole > 0 ? `${percent(part / whole)} (${count(part)})` : '–';
}

/**
 * @param {Rollout} rollout Which one.
 * @returns {[string, string][]} What was compared, as terms and numbers.
 */
export function rolloutFacts({ figures, floor, not_compared: missed, next_look: next, ...one }) {
  /** @type {[string, string][]} */
  const facts = [
    ['Compared', count(figures.compared)],
    ['Agreed', ofWhole(figures.agreed, figures.compared)],
    ['Expected at least', percent(floor)],
    ['Live one abstained', ofWhole(figures.live_abstained, figures.compared)],
    ['This one abstained', ofWhole(figures.model_abstained, figures.compared)],
    ['Not compared', count(missed)],
  ];
  const told = figures.model_right + figures.model_wrong;
  if (told > 0) facts.push(['Called wrong', ofWhole(figures.model_wrong, told)]);
  if (one.stage === 'limited') facts.push(['Share of clients', percent(one.share, 0)]);
  if (one.rules.sites.length > 0) facts.push(['Sites', one.rules.sites.join(', ')]);
  if (next !== null) facts.push(['Next look at', `${count(next)} answers`]);
  return facts;
}

/**
 * @param {{stage: string, share: string, sites: string, isAuto: boolean}} fields As they were filled in; the share in percent.
 * @returns {RolloutRules} What the server is told.
 */
export function rulesOf({ stage, share, sites, isAuto }) {
  const hosts = sites.split(/[\s,]+/u).filter((host) => host !== '');
  /** @type {RolloutRules} */
  const rules = { auto_promote: isAuto };
  return stage === 'limited' ? { ...rules, share: Number(share) / 100, sites: hosts } : rules;
}
