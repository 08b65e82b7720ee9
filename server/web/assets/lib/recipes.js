/**
 * Recipes as a person chooses them; what is not chosen is left to the server's defaults. Pure.
 */

/** @typedef {'head' | 'fine-tune' | 'lr-find'} Kind */
/** @typedef {{kind: Kind, backbone?: string, epochs?: number, lr?: number}} Recipe */

/** What there is to choose from, the usual one first. @type {{kind: Kind, title: string, text: string, verb: string}[]} */
export const RECIPES = [
  {
    kind: 'head',
    title: 'Head',
    text: 'Seconds. A new last layer on a network that has seen a million photos.',
    verb: 'Train',
  },
  {
    kind: 'fine-tune',
    title: 'Fine-tune',
    text: 'Minutes. The whole network learns from your images; it is kept only if it beats the head.',
    verb: 'Train',
  },
  {
    kind: 'lr-find',
    title: 'Find a learning rate',
    text: 'Minutes, and no model: shows how fast a fine-tuning may learn.',
    verb: 'Search',
  },
];

/**
 * @param {string | undefined} kind Of a recipe.
 * @returns {string | null} Its title; the word itself of one that is not known here.
 */
export function recipeTitle(kind) {
  if (kind === 'evaluate') return 'Evaluate a model';
  return RECIPES.find((recipe) => recipe.kind === kind)?.title ?? kind ?? null;
}

/**
 * @param {{kind: Kind, backbone: string, epochs: number, lr: number}} chosen Empty and NaN mean the default; epochs and learning rate count for fine-tuning alone.
 * @returns {Recipe} What the server is asked for.
 */
export function recipeOf({ kind, backbone, epochs, lr }) {
  /** @type {Recipe} */
  const recipe = { kind };
  if (backbone !== '') recipe.backbone = backbone;
  if (kind !== 'fine-tune') return recipe;
  if (Number.isFinite(epochs)) recipe.epochs = epochs;
  if (Number.isFinite(lr)) recipe.lr = lr;
  return recipe;
}
