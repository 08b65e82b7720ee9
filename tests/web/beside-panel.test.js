import { window } from './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besidePanel } from '../../server/web/assets/components/beside-panel.js';
import { rolloutFacts, rulesOf } from '../../server/web/assets/lib/rollout-words.js';
import { page } from './support/page.js';
import { playServer, until } from './support/server.js';

const { document, Event } = window;

const MODEL = { id: 'B', dataset_id: 'D', stage: 'shadow' };
const ROLLOUT = {
  id: 'R',
  model_id: 'B',
  live_id: 'A',
  stage: 'limited',
  rules: { share: 0.2, sites: ['shop.example'], auto_promote: false, min_answers: 50 },
  share: 0.2,
  floor: 0.9,
  next_look: 100,
  figures: {
    compared: 80,
    agreed: 76,
    live_abstained: 4,
    model_abstained: 8,
    live_right: 0,
    live_wrong: 0,
    model_right: 0,
    model_wrong: 0,
  },
  not_compared: 3,
  started_at: '2026-11-23T10:00:00Z',
  ended_at: null,
  outcome: null,
  decisions: [
    {
      id: '1',
      kind: 'start',
      sentence: 'It began.',
      share: 0.2,
      created_at: '2026-11-23T10:00:00Z',
    },
  ],
};
const DIFFERENCE = {
  id: '1',
  sha256: 'c'.repeat(64),
  prediction_id: 'P',
  live_label: 'red',
  live_probability: 0.9,
  live_abstained: false,
  model_label: 'blue',
  model_probability: 0.6,
  model_abstained: true,
};
const listOf = (items) => ({ items, next_cursor: null, total: items.length });

/** The panel over these rollouts, shown once they are read. */
async function panel(rollouts, answers = {}) {
  const paths = {
    '/datasets/D/rollouts': listOf(rollouts),
    '/models': listOf([{ ...MODEL, id: 'A', stage: 'live' }]),
    '/rollouts/R/disagreements': listOf([DIFFERENCE]),
    ...answers,
  };
  const asked = playServer((path) => paths[path]);
  const stages = [];
  const { node } = besidePanel(MODEL, (stage) => stages.push(stage), page.signal);
  document.body.append(node);
  await until(() => node.querySelector('[data-testid=beside-state], form'));
  return { node, asked, stages, at: (id) => node.querySelector(`[data-testid=${id}]`) };
}

test('figures are told as shares, with what was left out', () => {
  const facts = Object.fromEntries(rolloutFacts(ROLLOUT));
  assert.equal(facts.Agreed, '95\u00a0% (76)');
  assert.equal(facts['This one abstained'], '10\u00a0% (8)');
  assert.equal(facts['Not compared'], '3');
  assert.equal(facts['Share of clients'], '20\u00a0%');
  assert.equal(facts['Next look at'], '100 answers');
  const none = { ...ROLLOUT.figures, compared: 0, agreed: 0 };
  assert.equal(Object.fromEntries(rolloutFacts({ ...ROLLOUT, figures: none })).Agreed, '–');
});

test('the form says a share and sites of limited alone', () => {
  const fields = { share: '20', sites: ' a.example, b.example\n', isAuto: true };
  assert.deepEqual(rulesOf({ stage: 'limited', ...fields }), {
    auto_promote: true,
    share: 0.2,
    sites: ['a.example', 'b.example'],
  });
  assert.deepEqual(rulesOf({ stage: 'shadow', ...fields }), { auto_promote: true });
});

test('one that goes on shows figures, decisions, differences, and can be stopped', async () => {
  const { node, asked, stages, at } = await panel([ROLLOUT], {
    '/models/B/stage': { ...MODEL, stage: 'candidate' },
  });
  assert.match(at('beside-decisions').textContent, /It began\./u);
  assert.match(
    at('beside-differences').textContent,
    /Live: red 90\u00a0%This one: blue 60\u00a0%, abstained/u,
  );
  assert.match(node.querySelector('img').src, /\/predictions\/P\/file$/u);
  assert.equal(node.querySelector('form'), null, 'it runs already');
  at('beside-stop').click();
  await until(() => stages.length > 0);
  assert.deepEqual(stages, ['candidate']);
  assert.ok(asked.some(([how, path]) => how === 'POST' && path === '/models/B/stage'));
});

test('one that has ended says how, and another may begin', async () => {
  const ended = { ...ROLLOUT, outcome: 'rolled-back', ended_at: '2026-11-23T11:00:00Z' };
  const { node, asked, stages, at } = await panel([ended], {
    '/models/B/stage': { ...MODEL, stage: 'limited' },
  });
  assert.match(at('beside-state').textContent, /called back by a rule/u);
  assert.ok(at('beside-share').closest('[hidden]'), 'a shadow answers nobody');
  at('beside-limited').checked = true;
  at('beside-limited').dispatchEvent(new Event('change', { bubbles: true }));
  assert.equal(at('beside-share').closest('[hidden]'), null);
  at('beside-sites').value = 'shop.example';
  node.querySelector('form').dispatchEvent(new Event('submit', { cancelable: true }));
  await until(() => stages.length > 0);
  const sent = asked.find(([how]) => how === 'POST');
  assert.deepEqual(sent[2], {
    stage: 'limited',
    rollout: { auto_promote: false, share: 0.05, sites: ['shop.example'] },
  });
});

test('beside the live model itself nothing begins, nor where none is live', async () => {
  const live = { ...MODEL, stage: 'live' };
  for (const [models, rollouts, words] of [
    [[live], [{ ...ROLLOUT, model_id: 'C', live_id: 'B' }], /Another one runs beside it/u],
    [[live], [], /Open another one/u],
    [[], [], /No model is live/u],
  ]) {
    playServer((path) => listOf(path === '/models' ? models : rollouts));
    const { node } = besidePanel(live, () => undefined, page.signal);
    await until(() => words.test(node.textContent));
    assert.equal(node.querySelector('form'), null);
  }
});
