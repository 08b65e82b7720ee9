import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recipeChoice } from '../../server/web/assets/components/recipe-choice.js';
import { recipeOf, recipeTitle } from '../../server/web/assets/lib/recipes.js';

const nothing = { backbone: '', epochs: NaN, lr: NaN };

test('what is not chosen is left to the server', () => {
  assert.deepEqual(recipeOf({ kind: 'head', ...nothing }), { kind: 'head' });
  assert.deepEqual(recipeOf({ kind: 'fine-tune', ...nothing }), { kind: 'fine-tune' });
  assert.deepEqual(recipeOf({ kind: 'fine-tune', backbone: 'resnet18', epochs: 8, lr: 1e-3 }), {
    kind: 'fine-tune',
    backbone: 'resnet18',
    epochs: 8,
    lr: 1e-3,
  });
});

test('a head and a search take no epochs: what was typed for another recipe is not sent', () => {
  for (const kind of ['head', 'lr-find']) {
    const recipe = recipeOf({ kind, backbone: 'resnet18', epochs: 8, lr: 1e-3 });
    assert.deepEqual(recipe, { kind, backbone: 'resnet18' });
  }
});

test('a recipe that is not known here has its own word for a title', () => {
  assert.equal(recipeTitle('fine-tune'), 'Fine-tune');
  assert.equal(recipeTitle('distil'), 'distil');
  assert.equal(recipeTitle(undefined), null);
});

test('the choice begins with the head, shows what a fine-tuning takes, and names what the button does', async () => {
  globalThis.fetch = async () =>
    new Response(JSON.stringify({ backbones: ['lite', 'resnet18'] }), {
      headers: { 'X-Bowerbird': '1', 'Content-Type': 'application/json' },
    });
  const verbs = [];
  const { node, backbone, read } = recipeChoice((verb) => verbs.push(verb));
  assert.deepEqual(read(), { kind: 'head' });
  const epochs = node.querySelector('[data-testid=epochs]');
  const more = epochs.closest('div');
  assert.equal(more.hidden, true);
  const choose = (kind) => {
    const radio = node.querySelector(`[data-testid=recipe-${kind}]`);
    radio.dispatchEvent(new Event('change'));
  };
  choose('fine-tune');
  assert.equal(more.hidden, false);
  choose('lr-find');
  assert.equal(more.hidden, true);
  assert.deepEqual(verbs, ['Train', 'Search']);
  const select = backbone.querySelector('select');
  for (let round = 0; round < 100 && select.options.length < 2; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(select.options[0].textContent, /lite$/);
  assert.equal(select.options[1].value, 'resnet18');
  assert.deepEqual(read(), { kind: 'lr-find' });
});
