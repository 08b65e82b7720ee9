/** What marks in a page ask the model: few images at a time, each once, and so many in a page at most. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_ASKED, Questions } from '../../extension/content/overlay/questions.js';
import { DOUBT_BELOW, isDoubted } from '../../extension/lib/doubt.js';

const ASKING = { subject: 'a', label: 'grizzly' };
const SURE = { label: 'grizzly', probability: 0.9, is_abstained: false };
const urls = (count, from = 0) =>
  Array.from({ length: count }, (_, place) => `https://p.example/${place + from}.jpg`);
const sayAll = (asked, opinion = SURE) => ({
  state: 'answered',
  opinions: asked.map((_url, index) => ({ index, ...opinion })),
});

/** Make what asks, with a clock that stands still; `answer` says what comes of each question. */
function make(t, answer = (batch) => sayAll(batch)) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const asked = [];
  const told = [];
  const questions = new Questions({
    ask: async (subject, batch) => {
      asked.push(batch);
      return answer(batch, asked.length, subject);
    },
    onAnswer: () => told.push(asked.length),
  });
  const pass = async (ms) => {
    t.mock.timers.tick(ms);
    // Lets the answer arrive, and what waits for it go on.
    for (let turn = 0; turn < 10; turn += 1) await null;
  };
  return { questions, asked, told, pass };
}

test('until a person wants it nobody is asked, and after it nobody any more', async (t) => {
  const { questions, asked, pass } = make(t);
  questions.want(urls(20));
  await pass(60_000);
  assert.deepEqual([asked, questions.get(urls(1)[0]), questions.summarise()], [[], null, null]);
  questions.follow(ASKING);
  questions.follow(null);
  await pass(60_000);
  assert.deepEqual(asked, []);
  questions.follow(ASKING);
  await pass(300);
  assert.equal(asked.length, 1);
  questions.follow(null);
  await pass(60_000);
  assert.deepEqual([asked.length, questions.get(urls(1)[0])], [1, null]);
});

test('what stays in view is asked about in small batches, each once, and not what was passed', async (t) => {
  const { questions, asked, pass } = make(t);
  questions.follow(ASKING);
  questions.want(urls(30, 500)); // scrolled past
  questions.want(urls(20));
  assert.deepEqual(asked, []);
  for (let turn = 0; turn < 10; turn += 1) await pass(300);
  assert.deepEqual(
    asked.map(({ length }) => length),
    [8, 8, 4],
  );
  assert.deepEqual(asked.flat(), urls(20));
  questions.want(urls(20));
  await pass(60_000);
  assert.equal(asked.length, 3);
  assert.deepEqual(questions.get(urls(1)[0]), { opinion: SURE, isDoubted: false });
});

test('two questions are on their way, and no third before one is answered', async (t) => {
  const waiting = [];
  const { questions, asked, pass } = make(
    t,
    (batch) => new Promise((resolve) => waiting.push(() => resolve(sayAll(batch)))),
  );
  questions.follow(ASKING);
  questions.want(urls(40));
  for (let turn = 0; turn < 10; turn += 1) await pass(300);
  assert.equal(asked.length, 2);
  waiting.shift()();
  await pass(0);
  for (let turn = 0; turn < 10; turn += 1) await pass(300);
  assert.deepEqual([asked.length, new Set(asked.flat()).size], [3, 24]);
});

test('a page has its share, and says when that is used up', async (t) => {
  const { questions, asked, pass } = make(t);
  questions.follow(ASKING);
  for (let turn = 0; turn < 100; turn += 1) {
    questions.want(urls(50, turn * 5));
    await pass(300);
  }
  assert.deepEqual([asked.flat().length, new Set(asked.flat()).size], [MAX_ASKED, MAX_ASKED]);
  assert.equal(questions.summarise().trouble, 'full');
  // Another dataset is a person's choice: its model has looked at none of them.
  questions.follow({ subject: 'b', label: '' });
  assert.deepEqual(questions.summarise(), { subject: 'b', opinions: [], trouble: null });
  await pass(300);
  assert.equal(asked.flat().length, MAX_ASKED + 8);
});

test('a server that is busy is left alone for as long as it says, and then asked for the same', async (t) => {
  const { questions, asked, pass } = make(t, (batch, count) =>
    count === 1 ? { state: 'busy', retry_after_s: 7 } : sayAll(batch),
  );
  questions.follow(ASKING);
  questions.want(urls(3));
  await pass(300);
  await pass(6999);
  assert.equal(asked.length, 1);
  await pass(1);
  assert.deepEqual(asked, [urls(3), urls(3)]);
});

test('a server that asks for a day is asked again after a minute', async (t) => {
  const { questions, asked, pass } = make(t, () => ({ state: 'busy', retry_after_s: 86_400 }));
  questions.follow(ASKING);
  questions.want(urls(1));
  await pass(300);
  await pass(60_000);
  assert.equal(asked.length, 2);
});

test('images that nothing can be said of keep the others from nothing', async (t) => {
  const { questions, asked, pass } = make(t, () => ({
    state: 'answered',
    opinions: [{ index: 1, ...SURE }, { index: 99, ...SURE }], // prettier-ignore
  }));
  questions.follow(ASKING);
  questions.want(urls(3));
  await pass(300);
  await pass(60_000);
  assert.equal(asked.length, 1);
  assert.equal(questions.get(urls(1)[0]), null);
  assert.deepEqual(questions.summarise().opinions, [{ url: urls(2)[1], ...SURE }]);
});

test('of a question that fails each image is asked about once more, alone, and ever more rarely', async (t) => {
  const { questions, asked, pass } = make(t, (batch) =>
    batch.includes(urls(1)[0]) ? undefined : sayAll(batch),
  );
  questions.follow(ASKING);
  questions.want(urls(3));
  await pass(300);
  await pass(3999);
  assert.equal(asked.length, 1);
  for (let turn = 0; turn < 20; turn += 1) await pass(4000);
  await pass(600_000);
  const [first, second, third] = urls(3);
  assert.deepEqual(asked, [[first, second, third], [first], [second], [third]]);
  assert.equal(questions.get(first), null);
  assert.deepEqual(questions.get(third).opinion, SURE);
});

test('without a live model nobody is bothered, but a look each minute', async (t) => {
  let isLive = false;
  const { questions, asked, pass } = make(t, (batch) =>
    isLive ? sayAll(batch) : { state: 'no-model' },
  );
  questions.follow(ASKING);
  questions.want(urls(1));
  await pass(300);
  assert.equal(questions.summarise().trouble, 'no-model');
  await pass(59_000);
  assert.equal(asked.length, 1);
  isLive = true;
  await pass(1000);
  assert.deepEqual([asked.length, questions.summarise().trouble], [2, null]);
});

test('what one dataset makes wait, another one does not', async (t) => {
  const { questions, asked, pass } = make(t, (batch, _count, subject) =>
    subject === 'a' ? { state: 'no-model' } : sayAll(batch),
  );
  questions.follow(ASKING);
  questions.want(urls(1));
  await pass(300);
  await pass(1000);
  questions.follow({ ...ASKING, subject: 'b' });
  await pass(300);
  assert.deepEqual([asked.length, questions.get(urls(1)[0])?.opinion], [2, SURE]);
});

test('an answer of the dataset before is no opinion of the one after', async (t) => {
  const waiting = [];
  const { questions, pass } = make(
    t,
    (batch) => new Promise((resolve) => waiting.push(() => resolve(sayAll(batch)))),
  );
  questions.follow(ASKING);
  questions.want(urls(2));
  await pass(300);
  questions.follow({ subject: 'b', label: 'grizzly' });
  waiting.shift()();
  await pass(0);
  assert.equal(questions.get(urls(1)[0]), null);
  await pass(300);
  waiting.shift()();
  await pass(0);
  assert.deepEqual(questions.get(urls(1)[0]).opinion, SURE);
});

test('a label that changes changes what is doubted, and asks nobody', async (t) => {
  const { questions, asked, told, pass } = make(t);
  questions.follow(ASKING);
  questions.want(urls(1));
  await pass(300);
  assert.equal(questions.get(urls(1)[0]).isDoubted, false);
  const before = told.length;
  questions.follow({ ...ASKING, label: 'black bear' });
  assert.equal(questions.get(urls(1)[0]).isDoubted, true);
  assert.equal(told.length, before + 1);
  await pass(60_000);
  assert.equal(asked.length, 1);
});

test('doubted is what the model calls otherwise, or nothing, or is unsure of', () => {
  const at = (probability, label = 'grizzly') => ({ label, probability, is_abstained: false });
  assert.equal(isDoubted(at(0.9), 'grizzly'), false);
  assert.equal(isDoubted(at(0.9), ' Grizzly'), false);
  assert.equal(isDoubted(at(0.9), 'black bear'), true);
  assert.equal(isDoubted(at(0.9), 'polar bear'), true); // of which it has never heard
  assert.equal(isDoubted({ ...at(0.9), is_abstained: true }, 'grizzly'), true);
  assert.equal(isDoubted(at(DOUBT_BELOW), 'grizzly'), false);
  assert.equal(isDoubted(at(DOUBT_BELOW - 0.001), 'grizzly'), true);
  // Nobody knows what it would be captured as.
  assert.deepEqual([isDoubted(at(0.9), ''), isDoubted(at(0.5), '')], [false, true]);
});
