import { window } from './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stageTrail } from '../../server/web/assets/components/stage-trail.js';
import { page } from './support/page.js';
import { playServer, until } from './support/server.js';

const { document } = window;

const MODEL = { id: 'B', dataset_id: 'D', stage: 'live' };
const FIRST = {
  id: '1',
  model_id: 'A',
  before: 'candidate',
  after: 'live',
  kind: 'first',
  replaced_id: null,
  reason: null,
  comparison: null,
  created_at: '2026-11-22T10:00:00Z',
};
const SECOND = {
  ...FIRST,
  id: '2',
  model_id: 'B',
  kind: 'forced',
  replaced_id: 'A',
  reason: 'knows the new class',
  comparison: { sentence: 'Worse, by more than chance.' },
};

const listOf = (items) => ({ items, next_cursor: null, total: items.length });

/** The trail of a dataset with these changes, shown once it is read. */
async function trail(changes, answers = {}) {
  const rollouts = { '/datasets/D/rollouts': listOf([]), ...answers };
  const asked = playServer((path) => rollouts[path] ?? listOf(changes));
  const { node, refresh } = stageTrail(MODEL, page.signal);
  document.body.append(node);
  await until(() => node.querySelector('li, .muted'));
  return { node, refresh, asked, back: () => node.querySelector('[data-testid=roll-back]') };
}

test('each move is told with its model, its reason and what was compared', async () => {
  const { node } = await trail([SECOND, FIRST]);
  const [second, first] = [...node.querySelectorAll('li')].map((item) => item.textContent);
  assert.match(second, /^This model became live against the comparison /u);
  assert.match(second, /“knows the new class”Worse, by more than chance\.$/u);
  assert.match(first, /^Another model became live /u);
  assert.equal(node.querySelector('li a').getAttribute('href'), '#/models/A');
});

test('there is a way back only from a model that took the place of another', async () => {
  assert.ok((await trail([SECOND, FIRST])).back());
  assert.equal((await trail([{ ...SECOND, replaced_id: null }])).back(), null);
  const retired = { ...SECOND, id: '3', before: 'live', after: 'retired', replaced_id: null };
  const seen = await trail([retired, SECOND, FIRST]);
  assert.equal(seen.back(), null);
  const none = await trail([]);
  assert.match(none.node.textContent, /No model of this dataset has changed its stage yet/u);
});

test('going back asks first, and then shows the model that answers again', async () => {
  const { asked, back } = await trail([SECOND, FIRST], {
    '/datasets/D/rollback': { id: 'A', dataset_id: 'D', stage: 'live' },
  });
  back().click();
  await until(() => document.querySelector('dialog'));
  assert.equal(asked.length, 2, 'nothing is done before the answer');
  document.querySelector('dialog').close('yes');
  await until(() => window.location.hash === '#/models/A');
  assert.deepEqual(asked[2], ['POST', '/datasets/D/rollback', {}]);
});

test('a way back that is closed meanwhile is said', async () => {
  const problem = { type: '/problems/nothing-to-roll-back', detail: 'no model was live before' };
  const { node, back } = await trail([SECOND, FIRST], {
    '/datasets/D/rollback': Response.json(problem, { status: 409 }),
  });
  back().click();
  await until(() => document.querySelector('dialog'));
  document.querySelector('dialog').close('yes');
  await until(() => node.querySelector('.is-error'));
  assert.match(node.querySelector('.is-error').textContent, /no model was live before/iu);
});

test('what rules decided stands among the changes, in the order of time', async () => {
  const at = (minute) => `2026-11-22T10:0${minute}:00Z`;
  const decision = { id: '1', kind: 'widen', sentence: 'Nothing speaks against it.', share: 0.2 };
  const rollout = {
    model_id: 'B',
    decisions: [
      { ...decision, created_at: at(3) },
      { ...decision, id: '0', kind: 'start', created_at: at(2) },
    ],
  };
  const back = {
    ...SECOND,
    kind: 'rule',
    before: 'limited',
    after: 'candidate',
    reason: 'It differs.',
  };
  const changes = [
    { ...back, comparison: null, created_at: at(4) },
    { ...FIRST, created_at: at(1) },
  ];
  const { node } = await trail(changes, { '/datasets/D/rollouts': listOf([rollout]) });
  const texts = [...node.querySelectorAll('li')].map((item) => item.textContent);
  assert.equal(texts.length, 3, 'the start is a change of stage itself');
  assert.match(texts[0], /^This model became candidate by rule .*It differs\.$/u);
  assert.match(texts[1], /^This model beside the live one: widened .*speaks against it\.$/u);
  assert.match(texts[2], /^Another model became live/u);
});
