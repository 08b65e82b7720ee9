import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrainPanel } from '../../server/web/assets/components/retrain-panel.js';
import { sleep } from '../../server/web/assets/lib/live.js';
import { page } from './support/page.js';

const MODEL = { id: 'M0', dataset_id: 'D', snapshot_id: 'S0', recipe: { kind: 'head' } };
const JOB = {
  id: 'J',
  snapshot_id: 'S1',
  state: 'running',
  model_id: null,
  error: null,
  progress: null,
  recipe: { kind: 'head' },
  created_at: '2026-11-22T10:00:00Z',
  started_at: null,
  finished_at: null,
  attempts: 1,
};
const NONE = { added: 0, removed: 0, relabelled: 0, moved: 0 };

/** The panel on a server that gives these answers, by method and path; what it was asked. */
async function panel(answers, jobId = null) {
  const asked = [];
  globalThis.fetch = (url, { method }) => {
    const path = new URL(url, 'http://127.0.0.1').pathname.replace('/api/v1', '');
    asked.push(`${method} ${path}`);
    const answer = answers[`${method} ${path}`];
    return Promise.resolve(
      answer ? Response.json(answer) : Response.json({ detail: path }, { status: 404 }),
    );
  };
  const started = [];
  const node = retrainPanel({
    model: MODEL,
    jobId,
    settle: () => Promise.resolve(asked.push('settled')),
    onStart: (id) => started.push(id),
    signal: page.signal,
  });
  const settle = () => sleep(10, page.signal);
  await settle();
  return { node, asked, started, settle };
}

test('nothing is trained where nothing has changed', async () => {
  const on = await panel({
    'GET /snapshots/S0': { id: 'S0', valid_ratio: 0.2, seed: 42 },
    'POST /datasets/D/snapshots': { id: 'S1' },
    'GET /snapshots/S0/diff/S1': { counts: NONE },
  });
  on.node.querySelector('button').click();
  await on.settle();
  assert.match(on.node.textContent, /Nothing has changed since this model was trained/);
  assert.deepEqual(on.started, []);
  assert.equal(
    on.asked[0],
    'settled',
    'what was answered has arrived before the labels are frozen',
  );
  assert.ok(!on.asked.includes('POST /snapshots/S1/jobs'));
});

test('a changed dataset is trained on like before', async () => {
  const on = await panel({
    'GET /snapshots/S0': { id: 'S0', valid_ratio: 0.2, seed: 42 },
    'POST /datasets/D/snapshots': { id: 'S1' },
    'GET /snapshots/S0/diff/S1': { counts: { ...NONE, relabelled: 2 } },
    'POST /snapshots/S1/jobs': JOB,
    'GET /jobs/J': JOB,
  });
  on.node.querySelector('button').click();
  await on.settle();
  assert.deepEqual(on.started, ['J']);
  assert.equal(on.node.querySelector('button').disabled, true, 'one at a time');
  assert.match(on.node.textContent, /Since the former training: 2 labels changed\..*Running/);
});

test('a training that failed says why, and what stays', async () => {
  const error = { kind: 'out-of-memory', detail: 'The trainer ran out of memory.' };
  const on = await panel(
    {
      'GET /jobs/J': { ...JOB, state: 'failed', error },
      'GET /snapshots/S0/diff/S1': { counts: { ...NONE, removed: 1 } },
    },
    'J',
  );
  const { textContent } = on.node;
  assert.match(textContent, /1 image left out\..*Failed.*ran out of memory.*Your labels are kept/);
  assert.equal(on.node.querySelector('button').disabled, false, 'one can try again');
});

test('after a reload the comparison is shown again', async () => {
  const found = {
    before_id: 'M0',
    after_id: 'M1',
    image_count: 0,
    before_error_rate: null,
    after_error_rate: null,
    interval: [-1, 1],
    sentence: 'The two models have no validation image in common, so they cannot be compared.',
  };
  const on = await panel(
    {
      'GET /jobs/J': { ...JOB, state: 'succeeded', model_id: 'M1' },
      'GET /snapshots/S0/diff/S1': { counts: NONE },
      'GET /models/M1/comparison': found,
    },
    'J',
  );
  const sentence = on.node.querySelector('[data-testid=comparison-sentence]');
  assert.equal(sentence.textContent, found.sentence);
  assert.match(on.node.querySelector('a.button').getAttribute('href'), /model=M1/);
});
