import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as evaluation from '../../server/web/assets/lib/evaluation.js';

const CLASSES = ['bear', 'cat', 'dog'];
const row = (label, predicted, loss = 0.1, split = 'valid') => ({
  sha256: `${label}-${predicted}-${loss}`,
  split,
  label,
  predicted,
  loss,
  probability: Math.exp(-loss),
});
const ITEMS = [
  row('bear', 'bear'),
  row('bear', 'cat', 2.5),
  row('cat', 'cat', 0.3),
  row('cat', 'cat', 0.2),
  row('bear', 'dog', 9, 'train'),
];
const VALID = evaluation.validationItems({ items: ITEMS });

test('only the validation split counts, in either form of the evaluation', () => {
  assert.equal(VALID.length, 4);
  assert.equal(evaluation.validationItems(ITEMS).length, 4);
  assert.deepEqual(evaluation.validationItems(null), []);
});

test('pairs are listed by how often they are confused, of equals the one of the rarer label first', () => {
  const matrix = [
    [5, 2, 1],
    [0, 9, 4],
    [2, 0, 1],
  ];
  const pairs = evaluation.confusedPairs(matrix, CLASSES, 3);
  assert.deepEqual(
    pairs.map(({ label, predicted, count, total }) => [label, predicted, count, total]),
    [
      ['cat', 'dog', 4, 13],
      ['dog', 'bear', 2, 3],
      ['bear', 'cat', 2, 8],
    ],
  );
});

test('what was chosen is said with what the choice is worth', () => {
  const choice = {
    kept: 'fine-tuned',
    head_error_rate: 0.1,
    fine_tuned_error_rate: 0.05,
    cross_fitted_error_rate: 0.075,
  };
  const say = (more) => evaluation.choiceSentence({ ...choice, ...more }).replaceAll('\u00a0', ' ');
  assert.match(say({}), /^The fine-tuned network was kept: it errs on 5 %.*head.* on 10 %/);
  assert.match(say({}), /no part in the choice, choosing so errs on 7\.5 %\.$/);
  assert.match(say({ kept: 'head' }), /^The head was kept: it errs on 10 %.*network on 5 %/);
  assert.match(say({ cross_fitted_error_rate: null }), /too few/);
});

test('the interval is the one of the literature', () => {
  // Newcombe 1998, Statistics in Medicine 17, 857-872, table I: 81 of 263 and 0 of 20, Wilson's score.
  const [low, high] = evaluation.wilsonInterval(81, 263);
  assert.ok(Math.abs(low - 0.2553) < 5e-5 && Math.abs(high - 0.3662) < 5e-5);
  const none = evaluation.wilsonInterval(0, 20);
  assert.equal(none[0], 0);
  assert.ok(Math.abs(none[1] - 0.1611) < 5e-5);
  assert.deepEqual(evaluation.wilsonInterval(0, 0), [0, 1]);
});

test('the confusion matrix has labels as rows and predictions as columns', () => {
  const matrix = evaluation.confusionMatrix(VALID, CLASSES);
  assert.deepEqual(matrix, [
    [1, 1, 0],
    [0, 2, 0],
    [0, 0, 0],
  ]);
  assert.deepEqual(evaluation.classRows(matrix, CLASSES), [
    { label: 'bear', precision: 1, recall: 0.5, support: 2 },
    { label: 'cat', precision: 2 / 3, recall: 1, support: 2 },
    { label: 'dog', precision: null, recall: null, support: 0 },
  ]);
});

test('the worst losses come first', () => {
  const losses = evaluation.topLosses(VALID, 2).map((item) => item.loss);
  assert.deepEqual(losses, [2.5, 0.3]);
});

const BASELINES = {
  majority: 0.5,
  pixel_similarity: 0.3,
  pixel_similarity_l1: 0.3,
  pixel_similarity_l2: 0.4,
  pixel_linear: null, // of a model that is older than this baseline
};

test('the chart has the model first, then the baselines from good to bad', () => {
  const metrics = { error_rate: 0.25, error_rate_interval: [0.1, 0.5], baselines: BASELINES };
  const bars = evaluation.errorBars(metrics, VALID);
  assert.deepEqual(
    bars.map((bar) => [bar.title, bar.error_rate, bar.isModel]),
    [
      ['This model', 0.25, true],
      ['Nearest mean image', 0.3, false],
      ['Always the largest class', 0.5, false],
    ],
  );
  assert.deepEqual(bars[0].interval, [0.1, 0.5]);
});

test('an interval that the metrics lack comes from the rows', () => {
  const [model] = evaluation.errorBars({ error_rate: 0.25 }, VALID);
  assert.deepEqual(model.interval, evaluation.wilsonInterval(1, 4));
  assert.equal(evaluation.errorBars({ error_rate: 0.25 }, [])[0].interval, null);
});

test('the verdict is honest', () => {
  const say = (error_rate, error_rate_interval) =>
    evaluation.verdict(
      evaluation.errorBars({ error_rate, error_rate_interval, baselines: BASELINES }, []),
    );
  assert.match(say(0.02, [0, 0.1]), /by more than chance/);
  assert.match(say(0.2, [0.1, 0.4]), /too small to be sure/);
  assert.match(say(0.3, [0.2, 0.4]), /No better/);
  assert.equal(evaluation.verdict(evaluation.errorBars({ error_rate: 0 }, [])), '');
});
