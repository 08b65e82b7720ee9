import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  analysisSections,
  findingsSection,
} from '../../server/web/assets/components/analysis-sections.js';

const ANALYSIS = {
  reliability: {
    bins: [
      { low: 0.8, high: 0.9, count: 0, confidence: null, accuracy: null },
      { low: 0.9, high: 1, count: 12, confidence: 0.95, accuracy: 0.75 },
    ],
    effect: {
      calibration_error_before: 0.15,
      calibration_error_after: 0.08,
      log_loss_before: 0.6,
      log_loss_after: 0.5,
      folds: 5,
    },
  },
  learning_curve: {
    points: [
      { train_count: 12, ratio: 0.5, error_rate: 0.2, lowest: 0.15, highest: 0.25, log_loss: 0.5 },
      { train_count: 24, ratio: 1, error_rate: 0.1, lowest: 0.1, highest: 0.1, log_loss: 0.3 },
    ],
    needs: [
      { label: 'grizzly', train_count: 5, log_loss_rise: 0.1 },
      { label: 'teddy', train_count: 9, log_loss_rise: -0.1 },
    ],
  },
  slices: {
    basis: 'out-of-fold',
    rows: [
      {
        dimension: 'site',
        value: '<b>bad</b>.example',
        count: 20,
        error_rate: 0.5,
        error_rate_interval: [0.3, 0.7],
        is_worse: true,
      },
    ],
  },
  shortcuts: {
    image_count: 80,
    shuffles: 200,
    clues: [
      {
        name: 'site',
        accuracy: 0.9,
        chance: 0.33,
        chance_limit: 0.45,
        value_count: 7,
        is_shortcut: true,
      },
    ],
  },
  abstention: {
    label: 'background',
    background_count: 40,
    coverage: 0.95,
    trials: [{ score: 'margin', auroc: 0.9, passed: 0.25, threshold: 0.4 }],
  },
  findings: [{ kind: 'overfitting', text: 'Overfitting: …', numbers: {} }],
};
const analysed = (changes = {}) => ({
  evaluation: { items: [], analysis: { ...ANALYSIS, ...changes } },
});

test('an analysis is shown part by part, each plot with its table', () => {
  const sections = analysisSections(analysed());
  assert.deepEqual(
    sections.map((node) => node.dataset.testid),
    [
      'learning-curve-section',
      'slices-section',
      'shortcuts-section',
      'reliability-section',
      'abstention-section',
    ],
  );
  const text = sections.map((node) => node.textContent).join('\n');
  assert.match(text, /With half of the training images \(12\) the error rate is 20\s%/);
  assert.match(text, /More would help most of: grizzly\./);
  assert.match(text, /<b>bad<\/b>\.example/, 'a stranger’s text stays text');
  assert.match(text, /Yes, by: site/);
  assert.match(text, /lowers the calibration error: 15\s% without, 8\s%/);
  assert.match(text, /Margin to the next class \(in use\)/);
  for (const chart of sections.flatMap((node) => [...node.querySelectorAll('svg')])) {
    assert.equal(chart.getAttribute('aria-hidden'), 'true');
    assert.ok(chart.parentElement.querySelector('table tbody tr'));
  }
  assert.equal(sections[3].querySelectorAll('rect').length, 1, 'an empty bin has no bar');
  assert.equal(sections[3].querySelectorAll('tbody tr').length, 1);
});

test('what was not found out is left out, as of a model that is older', () => {
  const nothing = {
    reliability: null,
    learning_curve: null,
    slices: { basis: 'validation', rows: [] },
    shortcuts: null,
    abstention: null,
    findings: [],
  };
  for (const model of [analysed(nothing), { evaluation: [] }, { evaluation: null }]) {
    assert.deepEqual([...findingsSection(model), ...analysisSections(model)], []);
  }
  assert.equal(findingsSection(analysed()).length, 1);
});

test('the check for shortcuts says no, and when there was nothing to try', () => {
  const said = (clues) =>
    analysisSections(analysed({ shortcuts: { image_count: 8, shuffles: 200, clues } }))[2]
      .textContent;
  assert.match(said([{ ...ANALYSIS.shortcuts.clues[0], is_shortcut: false }]), /No: nothing but/);
  assert.match(said([]), /Nothing varies/);
});
