/** Numbers of answers, and networks in turn. Pixels are held against Pillow's by a test in Python. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, knownScore, probabilities } from '../../extension/inference/answers.js';

const FACTS = {
  classes: ['a', 'b', 'none'],
  temperature: 2,
  abstention: { score: 'max_probability', threshold: 0.5, background: null },
};
const rule = (changes) => ({ ...FACTS, abstention: { ...FACTS.abstention, ...changes } });
const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);

test('probabilities are those of logits divided by the temperature', () => {
  const said = probabilities([2, 0, -2], 2);
  const sum = Math.E + 1 + 1 / Math.E;
  said.forEach((value, place) => near(value, Math.exp(1 - place) / sum));
  near(probabilities([1000, 0], 1)[0], 1);
});

test('each score is as the server counts it', () => {
  const logits = [2, 0, 4];
  const said = probabilities(logits, 2);
  near(knownScore(logits, said, FACTS), said[2]);
  near(knownScore(logits, said, rule({ background: 'none' })), said[0]);
  near(knownScore(logits, said, rule({ score: 'margin' })), said[2] - said[0]);
  near(knownScore(logits, said, rule({ score: 'margin', background: 'none' })), 0);
  near(
    knownScore(logits, said, rule({ score: 'energy', background: 'none' })),
    Math.log(Math.E + 1),
  );
});

test('it abstains below the threshold, and from what is none of the classes', () => {
  assert.equal(answer([9, 0, 0], FACTS).abstained, false);
  assert.equal(answer([0, 0, 0], FACTS).abstained, true);
  assert.equal(answer([0, 0, 9], rule({ background: 'none', threshold: 0 })).abstained, true);
  const said = answer([1, 3, 2], FACTS);
  assert.deepEqual(
    said.predictions.map(({ label }) => label),
    ['b', 'none', 'a'],
  );
  assert.equal(said.threshold, 0.5);
  assert.equal(answer([1, 3, 2], rule({ score: 'energy' })).threshold, null);
});
