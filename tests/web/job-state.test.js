import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curveNote, jobState, phaseList } from '../../server/web/assets/components/job-state.js';

const job = (kind, more) => ({
  id: 'J',
  state: 'running',
  recipe: { kind },
  progress: null,
  error: null,
  model_id: null,
  ...more,
});
const at = (phase) => ({ progress: { phase, done: 1, total: 4, message: null } });
const current = (list) => list.querySelector('[aria-current="step"]')?.textContent;

test('a phase that only fine-tuning has is the present one, and those before it are done', () => {
  const list = phaseList(job('fine-tune', at('fine-tune')));
  assert.match(current(list), /Fine-tune the backbone/);
  assert.equal(list.querySelectorAll('.is-done').length, 4);
  assert.equal(phaseList(job('head')).textContent.includes('Fine-tune'), false);
});

test('all phases of a finished job are done, whatever its kind', () => {
  for (const kind of ['head', 'fine-tune', 'lr-find']) {
    const list = phaseList(job(kind, { state: 'succeeded', ...at('upload') }));
    assert.equal(list.querySelectorAll('.is-done').length, list.children.length, kind);
    assert.notEqual(list.children.length, 0);
  }
});

test('a recipe that is not known here still says its phase', () => {
  const unknown = job('distil', at('soften'));
  assert.equal(phaseList(unknown).children.length, 0);
  assert.match(jobState(unknown).textContent, /soften/);
});

test('a head says that there is no curve to wait for, and says it no longer when it is done', () => {
  assert.match(curveNote(job('head')), /no curve/);
  assert.equal(curveNote(job('head', { state: 'succeeded' })), '');
  const stage = { update: 1 };
  const started = { progress: { phase: 'fine-tune', done: 1, total: 8, stages: [stage] } };
  assert.match(curveNote(job('fine-tune')), /begin with/);
  assert.equal(curveNote(job('fine-tune', started)), '');
  assert.equal(curveNote(job('distil')), '');
});
