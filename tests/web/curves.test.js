import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingCard, trainingCurves } from '../../server/web/assets/components/training-curves.js';
import {
  findingText,
  lrAxis,
  neatEnd,
  stageSentence,
  thinned,
  updatesOf,
} from '../../server/web/assets/lib/curves.js';

const stage = (update, train_loss, valid_loss, valid_error_rate) => ({
  update,
  epoch: update / 10,
  lr: 1e-3,
  train_loss,
  valid_loss,
  valid_error_rate,
});
const STAGES = [stage(19, 1.6, 1.2, 0.4), stage(38, 1.1, 0.7, 0.1), stage(56, 0.9, 0.75, 0.125)];
const plain = (text) => text.replaceAll('\u00a0', ' ');

test('an axis ends at a neat number that is not below what it shows', () => {
  const ends = [0.0123, 0.7, 1, 1.01, 2.4, 6.5, 9.9, 47].map(neatEnd);
  assert.deepEqual(
    ends.map((end) => Number(end.toPrecision(3))),
    [0.015, 0.8, 1, 1.5, 3, 8, 10, 50],
  );
  assert.equal(neatEnd(0), 1);
});

test('the updates to come are those of the fine-tuning, not the steps of another phase', () => {
  const job = (phase, total) => ({ progress: { phase, done: 1, total, stages: STAGES } });
  assert.equal(updatesOf(job('fine-tune', 150)), 150);
  assert.equal(updatesOf(job('evaluation', 4000)), 56);
  assert.equal(updatesOf({ progress: null }), 0);
});

test('a sentence says where the training is, and that it was better', () => {
  const said = plain(stageSentence(STAGES, 150));
  assert.equal(
    said,
    'After 56 of 150 updates: training loss 0.9, validation loss 0.75, error rate 12.5 % (10 % at best).',
  );
  assert.doesNotMatch(stageSentence(STAGES.slice(0, 2), 150), /best/);
});

test('a new stage is drawn into the same figure, which stays unfolded', () => {
  const { node, update } = trainingCurves();
  update([], 0);
  assert.equal(node.hidden, true);
  update(STAGES.slice(0, 1), 150);
  assert.equal(node.hidden, false);
  const details = node.querySelector('details');
  details.open = true;
  update(STAGES, 150);
  assert.equal(node.querySelector('details'), details);
  assert.equal(details.open, true);
  const lines = [...node.querySelectorAll('figure polyline')];
  assert.deepEqual(
    lines.map((line) => line.getAttribute('points').split(' ').length),
    [STAGES.length, STAGES.length],
  );
  const rows = [...node.querySelectorAll('tbody tr')].map((row) =>
    [...row.children].map((cell) => plain(cell.textContent)),
  );
  assert.deepEqual(rows.at(-1), ['56', '0.9', '0.75', '12.5 %']);
  assert.equal(rows.length, 3);
  const chart = node.querySelector('svg[role=img]');
  assert.match(chart.querySelector('desc').textContent, /After 56 of 150/);
});

const points = (count, low = 1e-7, high = 10) =>
  [...Array(count).keys()].map((index) => ({
    lr: low * (high / low) ** (index / (count - 1)),
    loss: 2,
    smoothed: 1 + index / count,
  }));

test('learning rates stand on a logarithmic axis with whole decades, few enough to read', () => {
  const { place, ticks } = lrAxis(points(100));
  assert.deepEqual(
    ticks.map(([, text]) => text),
    ['1e-7', '1e-5', '1e-3', '1e-1', '1e1'],
  );
  const places = [1e-7, 1e-3, 10].map((lr) => Math.round(place(lr) * 100) / 100);
  assert.deepEqual(places, [0, 0.5, 1]);
  assert.deepEqual(lrAxis(points(2, 2e-4, 5e-4)).ticks, []);
});

test('what a job found that makes no model is said in a word', () => {
  assert.equal(findingText({ points: [], valley: 0.0012 }), 'Begin with 1.2e-3');
  const evaluated = { error_rate: 0.125, count: 8, model_id: 'M' };
  assert.equal(plain(findingText(evaluated)), '12.5 % error on 8 unseen images');
});

test('what a search for a learning rate found is drawn, told, and said what to do with', () => {
  const finding = { points: points(100), valley: 0.0012, steep: 0.003, minimum: 0.01, seconds: 3 };
  const card = findingCard(finding);
  assert.match(card.textContent, /Begin with.*1\.2e-3/);
  assert.match(card.textContent, /--set lr=1\.2e-3/);
  assert.equal(card.querySelectorAll('svg line.chart-suggestion').length, 3);
  const rows = card.querySelectorAll('tbody tr');
  assert.ok(rows.length <= 20, `${rows.length} rows`);
  assert.match(card.querySelector('summary').textContent, /of its 100 points/);
  const few = thinned([1, 2, 3]);
  assert.deepEqual(few, [1, 2, 3]);
  assert.equal(thinned(points(100)).at(-1).lr, points(100).at(-1).lr);
});
