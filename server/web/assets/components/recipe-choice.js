/**
 * Which recipe to train by: what each does and takes, and the few members that are worth a field.
 */
import { h } from '../lib/dom.js';
import { recipeOf, RECIPES } from '../lib/recipes.js';
import { readServer } from '../lib/resources.js';

/** @typedef {import('../lib/recipes.js').Kind} Kind */
/** @typedef {import('../lib/recipes.js').Recipe} Recipe */

/**
 * @param {(typeof RECIPES)[number]} recipe One of them.
 * @param {(kind: Kind) => void} onChoose Told when it is chosen.
 * @returns {HTMLElement} Its radio button with what it does.
 */
function choice({ kind, title, text }, onChoose) {
  return h(
    'label',
    { class: 'check recipe' },
    h('input', {
      type: 'radio',
      name: 'recipe',
      value: kind,
      checked: kind === RECIPES[0]?.kind,
      'data-testid': `recipe-${kind}`,
      onchange: () => onChoose(kind),
    }),
    h('span', {}, h('strong', {}, title), h('span', { class: 'muted small' }, text)),
  );
}

/**
 * @returns {{node: HTMLElement, select: HTMLSelectElement}} The backbones that the server knows, once it has said so.
 */
function backboneField() {
  const select = h(
    'select',
    { 'data-testid': 'backbone' },
    h('option', { value: '' }, 'The usual one'),
  );
  const fill = async () => {
    const [first, ...others] = (await readServer()).backbones ?? [];
    const options = others.map((name) => h('option', { value: name }, name));
    if (first) select.options[0]?.append(`: ${first}`);
    select.append(...options);
  };
  // Without the list the usual one is left, which is what most want.
  void fill().catch(() => undefined);
  const note = 'The others are fetched when they are first used.';
  const node = h(
    'div',
    {},
    h('label', { class: 'field' }, 'Backbone', select),
    h('p', { class: 'muted small' }, note),
  );
  return { node, select };
}

/**
 * @param {(verb: string) => void} onVerb Told what the button does with the recipe that is chosen.
 * @returns {{node: HTMLElement, backbone: HTMLElement, read: () => Recipe}} The choice, and apart from it the choice of a backbone.
 */
export function recipeChoice(onVerb) {
  const epochs = h('input', {
    type: 'number',
    min: 1,
    max: 1000,
    step: 1,
    placeholder: '4',
    'data-testid': 'epochs',
  });
  const lr = h('input', {
    type: 'number',
    min: 1e-7,
    max: 1,
    step: 'any',
    placeholder: '2e-4',
    'data-testid': 'lr',
  });
  const more = h(
    'div',
    { class: 'recipe-more', hidden: true },
    h('label', { class: 'field' }, 'Epochs', epochs),
    h('label', { class: 'field' }, 'Learning rate', lr),
    h('p', { class: 'muted small' }, 'Left empty: as shown, and at least 150 updates.'),
  );
  const backbone = backboneField();
  /** @type {Kind} */
  let kind = 'head';
  const choose = (/** @type {Kind} */ chosen) => {
    kind = chosen;
    more.hidden = chosen !== 'fine-tune';
    onVerb(RECIPES.find((recipe) => recipe.kind === chosen)?.verb ?? 'Train');
  };
  const node = h(
    'fieldset',
    { class: 'recipes' },
    h('legend', { class: 'visually-hidden' }, 'Recipe'),
    ...RECIPES.map((recipe) => choice(recipe, choose)),
    more,
  );
  return {
    node,
    backbone: backbone.node,
    read: () =>
      recipeOf({
        kind,
        backbone: backbone.select.value,
        epochs: epochs.valueAsNumber,
        lr: lr.valueAsNumber,
      }),
  };
}
