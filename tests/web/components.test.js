import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confusionTable } from '../../server/web/assets/components/confusion.js';
import {
  labelBar,
  readFilter,
  summaryText,
  viewTabs,
} from '../../server/web/assets/components/dataset-header.js';
import { axisEnd, errorChart } from '../../server/web/assets/components/error-chart.js';
import { imageFacts, outsideLink } from '../../server/web/assets/components/facts.js';
import { stagePanel } from '../../server/web/assets/components/model-panels.js';
import { stepStates } from '../../server/web/assets/components/get-started.js';
import { clock } from '../../server/web/assets/components/pairing.js';
import { predictionList } from '../../server/web/assets/components/predictions.js';
import { groupByHost } from '../../server/web/assets/components/rejected.js';
import { explainRefusal, trainingAdvice } from '../../server/web/assets/components/train-panel.js';
import { Problem } from '../../server/web/assets/lib/api.js';
import { jobDuration } from '../../server/web/assets/components/job-state.js';

const dataset = (labels, status = {}) => ({
  id: 'D',
  name: 'bears',
  counts: {
    total: 100,
    excluded: 2,
    status: { queued: 0, downloading: 0, ready: 90, rejected: 4, duplicate: 1, ...status },
    labels,
  },
});
const BEARS = dataset({ teddy: { total: 60, ready: 50 }, 'black bear': { total: 45, ready: 40 } });

test('advice before training names what is missing', () => {
  assert.match(trainingAdvice(dataset({})), /at least two labels/);
  assert.match(
    trainingAdvice(dataset({ teddy: { total: 9, ready: 9 }, cat: { total: 9, ready: 0 } })),
    /at least two/,
  );
  assert.equal(trainingAdvice(BEARS), '90 ready images under 2 labels.');
  const few = dataset(
    { teddy: { total: 60, ready: 50 }, cat: { total: 4, ready: 3 } },
    { queued: 5 },
  );
  assert.match(trainingAdvice(few), /5 are still on the way.*“cat” has only 3/);
});

test('a conflict of labels links both images', () => {
  const error = new Problem({
    slug: 'label-conflict',
    title: '',
    status: 409,
    detail: 'The same image has two labels.',
    members: { image_ids: ['A', 'B'] },
  });
  const links = explainRefusal(error, 'D').filter((part) => typeof part !== 'string');
  assert.deepEqual(
    links.map((link) => link.getAttribute('href')),
    ['#/images/A?dataset=D', '#/images/B?dataset=D'],
  );
  assert.deepEqual(explainRefusal(new Error('no'), 'D'), ['no']);
});

test('a refusal over one image names the one, and says no more than the server', () => {
  const error = new Problem({
    slug: 'blob-damaged',
    title: '',
    status: 409,
    detail: 'its bytes are gone; exclude it to go on',
    members: { image_ids: ['A'] },
  });
  const said = explainRefusal(error, 'D').map((part) =>
    typeof part === 'string' ? part : part.textContent,
  );
  assert.equal(said.join(''), 'Its bytes are gone; exclude it to go on. See the image.');
});

test('filters come from the address, unknown ones are ignored', () => {
  assert.deepEqual(readFilter(new URLSearchParams('')), {
    view: 'ready',
    label: null,
    excluded: false,
  });
  assert.equal(readFilter(new URLSearchParams('status=nonsense')).view, 'ready');
  assert.equal(readFilter(new URLSearchParams('status=captures')).view, 'captures');
});

test('tabs show passing states only while there are any', () => {
  const names = (data) =>
    [...viewTabs(data, new URLSearchParams()).children].map((tab) => tab.firstChild.textContent);
  assert.deepEqual(names(BEARS), [
    'Ready',
    'Duplicates',
    'Rejected',
    'Alike',
    'Captures',
    'Inbox',
    'Snapshots',
    'Credits',
  ]);
  assert.ok(names(dataset({}, { queued: 3 })).includes('Waiting'));
});

test('a chosen label is marked, and chosen again it is let go', () => {
  const bar = labelBar(BEARS, new URLSearchParams('label=teddy'));
  const current = bar.querySelector('a[aria-current]');
  assert.match(current.textContent, /^teddy/);
  assert.equal(current.getAttribute('href'), '#/datasets/D');
  assert.equal(labelBar(BEARS, new URLSearchParams('status=captures')), null);
});

test('the summary leaves out what is not there', () => {
  assert.equal(summaryText(BEARS), '90 images ready · 2 excluded · 4 rejected · 1 duplicate');
});

test('chart and table say the same', () => {
  const bars = [
    { title: 'This model', error_rate: 0.02, interval: [0.01, 0.08], isModel: true },
    { title: 'Always the largest class', error_rate: 0.526, interval: null, isModel: false },
  ];
  const figure = errorChart(bars);
  assert.equal(axisEnd(bars), 0.6);
  const widths = [...figure.querySelectorAll('rect')].map((bar) => bar.getAttribute('width'));
  assert.deepEqual(widths, ['3.33%', '87.67%']);
  const cells = [...figure.querySelectorAll('tbody td')].map((cell) =>
    cell.textContent.replaceAll('\u00a0', ' '),
  );
  assert.deepEqual(cells, ['2 %', '1 % to 8 %', '52.6 %', '–']);
});

test('a cell of the confusion matrix opens its images, an empty one nothing', () => {
  const opened = [];
  const table = confusionTable({
    matrix: [
      [3, 1],
      [0, 4],
    ],
    classes: ['bear', 'cat'],
    onCell: (...cell) => opened.push(cell),
  });
  const buttons = table.querySelectorAll('button');
  assert.equal(buttons.length, 3);
  assert.match(buttons[1].textContent, /^125\s%.*labelled bear, predicted cat/);
  buttons[1].click();
  assert.deepEqual(opened, [['bear', 'cat']]);
});

test('an abstention is said plainly', () => {
  const answer = {
    label: null,
    abstained: true,
    threshold: 0.55,
    predictions: [{ label: 'bear', probability: 0.41 }],
    milliseconds: 5,
  };
  const text = predictionList(answer).textContent.replaceAll('\u00a0', ' ');
  assert.match(
    text,
    /Not sure enough to say.*Closest is “bear” with 41 % \(it answers from 55 %\)/,
  );
  assert.match(
    predictionList({ ...answer, abstained: false, label: 'bear' }).textContent,
    /Answer: bear/,
  );
});

test('rejected addresses are grouped by host, the most frequent first', () => {
  const urls = ['https://a.example/1', 'https://b.example/1', 'https://b.example/2', null];
  assert.deepEqual(
    groupByHost(urls.map((url) => ({ url }))).map(([host, group]) => [host, group.length]),
    [
      ['b.example', 2],
      ['a.example', 1],
      ['uploads', 1],
    ],
  );
});

test('a link to somebody else tells them nothing, and is no script', () => {
  const link = outsideLink('https://example.org/a');
  assert.equal(link.getAttribute('rel'), 'noreferrer noopener');
  assert.equal(outsideLink('javascript:alert(1)'), null);
});

test('steps are ticked by what the server knows', () => {
  const progress = { isPaired: true, hasImages: false, hasModel: false };
  assert.deepEqual(stepStates(progress), [true, true, false, false, false]);
});

test('clocks', () => {
  assert.equal(clock(545_000), '9:05');
  assert.equal(clock(-1), '0:00');
  const job = { started_at: '2026-11-22T10:00:00Z', finished_at: null };
  assert.equal(jobDuration(job, Date.parse('2026-11-22T10:01:05Z')), '1 min 5 s');
  assert.equal(jobDuration({ ...job, started_at: null }, 0), null);
});

test('the facts of an image say how its bytes came', () => {
  const facts = (obtained_by) =>
    imageFacts({ source_url: null, url: null, obtained_by, http_status: 403 }).textContent;
  assert.match(facts('browser'), /Obtained.*session/);
  assert.doesNotMatch(facts(null), /Obtained/);
});

test('a model that is worse than the live one goes live only with a reason', async () => {
  const asked = [];
  const answers = [
    [409, { type: '/problems/model-worse', detail: 'it errs more often than the live one' }],
    [200, { stage: 'live' }],
  ];
  globalThis.fetch = async (_url, { body }) => {
    asked.push(JSON.parse(body));
    const [status, answer] = answers.shift();
    const type = status === 200 ? 'application/json' : 'application/problem+json';
    const headers = { 'X-Bowerbird': '1', 'Content-Type': type };
    return new Response(JSON.stringify(answer), { status, headers });
  };
  const settled = async (holds) => {
    for (let round = 0; round < 1000 && !holds(); round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(holds());
  };
  let changes = 0;
  const panel = stagePanel({ id: 'M', stage: 'candidate' }, () => (changes += 1));
  const find = (name) => panel.querySelector(`[data-testid=${name}]`);
  find('stage-live').click();
  await settled(() => find('force-reason') !== null);
  assert.match(panel.textContent, /It errs more often than the live one\./);
  find('force-reason').value = 'its mistakes are the cheaper ones';
  find('force-reason').closest('form').dispatchEvent(new Event('submit'));
  await settled(() => find('stage').textContent === 'Live');
  assert.equal(find('force-reason'), null);
  assert.equal(changes, 1, 'a refusal changes nothing');
  assert.doesNotMatch(panel.textContent, /errs more often/);
  assert.deepEqual(asked, [
    { stage: 'live' },
    { stage: 'live', force: true, reason: 'its mistakes are the cheaper ones' },
  ]);
});
