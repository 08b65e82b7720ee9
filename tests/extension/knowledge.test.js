/** What marks in a page ask: in batches, each address once, seldom, and not without end. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Knowledge } from '../../extension/content/overlay/knowledge.js';
import { LeftOut } from '../../extension/content/overlay/left-out.js';
import { lookOf } from '../../extension/content/overlay/look.js';
import { SIGNS } from '../../extension/content/overlay/style.js';

const HELD = { label: 'grizzly', status: 'ready', excluded: false };
const urls = (count, from = 0) =>
  Array.from({ length: count }, (_, place) => `https://p.example/${place + from}.jpg`);

/** Make what asks, with a clock that stands still; `answer` says what comes of each question. */
function make(t, answer = () => []) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const questions = [];
  const told = [];
  const knowledge = new Knowledge({
    ask: async (asked) => {
      questions.push(asked);
      return answer(asked, questions.length);
    },
    onAnswer: () => told.push(questions.length),
  });
  const pass = async (ms) => {
    t.mock.timers.tick(ms);
    // Lets the answer arrive, and what waits for it go on.
    for (let turn = 0; turn < 10; turn += 1) await null;
  };
  return { knowledge, questions, told, pass };
}

test('tiles that come together are asked for together, those in view first, each once', async (t) => {
  const { knowledge, questions, pass } = make(t, (asked) =>
    asked.flatMap((url, index) => (url.endsWith('/700.jpg') ? [{ index, ...HELD }] : [])),
  );
  const all = urls(1200);
  knowledge.offer(all);
  knowledge.want(all.slice(700, 740));
  knowledge.want(all.slice(700, 760));
  assert.equal(knowledge.get(all[700]), undefined);
  await pass(100);
  assert.deepEqual([questions.length, questions[0].length], [1, 500]);
  assert.deepEqual(questions[0].slice(0, 60), all.slice(700, 760));
  assert.deepEqual([knowledge.get(all[700]), knowledge.get(all[701])], [HELD, null]);
  await pass(400);
  assert.equal(questions.length, 1); // half a second lies between two questions
  await pass(100);
  await pass(600);
  await pass(60_000);
  assert.deepEqual(
    questions.map(({ length }) => length),
    [500, 500, 200],
  );
  assert.deepEqual(new Set(questions.flat()), new Set(all));
  knowledge.want(all.slice(0, 50));
  await pass(60_000);
  assert.equal(questions.length, 3);
});

test('while nobody answers nothing counts as had, and the questions become rarer', async (t) => {
  let isUp = false;
  const answer = () => (isUp ? [{ index: 0, ...HELD }] : null);
  const { knowledge, questions, pass } = make(t, answer);
  const [url] = urls(1);
  knowledge.want([url]);
  await pass(100);
  assert.equal(knowledge.get(url), null);
  for (const [ms, count] of [
    [3999, 1],
    [1, 2],
    [7999, 2],
    [1, 3],
  ]) {
    await pass(ms);
    assert.equal(questions.length, count, `${ms} ms later`);
  }
  isUp = true;
  await pass(60_000);
  assert.deepEqual(knowledge.get(url), HELD);
});

test('what is still being fetched is looked at again, some times', async (t) => {
  const waiting = { ...HELD, status: 'queued' };
  const { knowledge, questions, pass } = make(t, (asked) =>
    asked.map((_url, index) => ({ index, ...(index === 0 ? waiting : HELD) })),
  );
  knowledge.want(urls(2));
  await pass(100);
  await pass(2000);
  await pass(600);
  assert.deepEqual(questions, [urls(2), urls(1)]);
  for (let turn = 0; turn < 30; turn += 1) await pass(100_000);
  assert.equal(questions.length, 7);
});

test('asking again keeps what was known until the answer comes', async (t) => {
  const { knowledge, questions, pass } = make(t, (_asked, count) =>
    count === 1 ? [{ index: 0, ...HELD }] : [{ index: 0, ...HELD, label: 'black' }],
  );
  const [url] = urls(1);
  knowledge.want([url]);
  await pass(100);
  knowledge.askAgain();
  assert.equal(knowledge.get(url).label, 'grizzly');
  await pass(600);
  assert.deepEqual([questions.length, knowledge.get(url).label], [2, 'black']);
});

test('a page that makes up addresses is not asked for without end, nor remembered', async (t) => {
  const { knowledge, questions, pass } = make(t);
  for (let turn = 0; turn < 100; turn += 1) {
    knowledge.want(urls(5000, turn * 5000));
    await pass(600);
  }
  assert.equal(questions.flat().length, 40_000);
  assert.equal(knowledge.answers.size, 10_000);
  assert.equal(knowledge.asked.size, 10_000);
});

test('stopped, it asks no more, and takes no late answer', async (t) => {
  const { knowledge, questions, told, pass } = make(t);
  knowledge.want(urls(1));
  knowledge.stop();
  await pass(1000);
  knowledge.want(urls(2));
  await pass(1000);
  assert.deepEqual([questions, told], [[], []]);
});

test('each mark says what it is and what a press does', () => {
  const candidate = { url: 'https://p.example/dir/bear.jpg', title: null };
  const look = (held, isLeftOut = false, answer = null) => {
    const { state, word, isPressed, name } = lookOf(candidate, { held, isLeftOut, answer });
    assert.match(name, /bear\.jpg/);
    return [state, word, isPressed];
  };
  assert.deepEqual(look(null), ['new', '', false]);
  assert.deepEqual(look(null, true), ['left-out', '', true]);
  assert.deepEqual(look(HELD, true), ['captured', 'grizzly', false]);
  assert.deepEqual(look({ ...HELD, status: 'duplicate' }), ['captured', 'grizzly', false]);
  assert.deepEqual(look({ ...HELD, status: 'downloading' }), ['waiting', 'grizzly', false]);
  assert.deepEqual(look({ ...HELD, status: 'rejected' }), ['rejected', 'grizzly', false]);
  assert.deepEqual(look({ ...HELD, excluded: true }), ['excluded', 'grizzly', true]);
  assert.deepEqual(look({ ...HELD, label: null }), ['captured', 'no label', false]);
});

test('a mark says what the model says, by a sign of its own and in words where that is doubted', () => {
  const candidate = { url: 'https://p.example/dir/bear.jpg', title: null };
  const opinion = { label: 'grizzly', probability: 0.968, is_abstained: false };
  const look = (isDoubted, changes = {}) => {
    const answer = { opinion: { ...opinion, ...changes }, isDoubted };
    const { state, word, name, hint } = lookOf(candidate, { held: null, isLeftOut: false, answer });
    assert.equal(hint, name);
    return [state, word, name];
  };
  const press = 'Leave out of the next capture: bear.jpg.';
  assert.deepEqual(look(false), ['new', 'grizzly 97 %', `${press} The model says: grizzly 97 %`]);
  assert.deepEqual(look(true), [
    'doubted',
    'grizzly 97 %',
    `${press} Doubted, the model says: grizzly 97 %`,
  ]);
  assert.deepEqual(look(true, { is_abstained: true }).slice(0, 2), [
    'doubted',
    'none of the classes',
  ]);
  assert.notEqual(SIGNS.doubted, SIGNS.new);
  // What the person or the dataset says goes before what the model says.
  const answer = { opinion, isDoubted: true };
  assert.equal(lookOf(candidate, { held: null, isLeftOut: true, answer }).state, 'left-out');
  assert.equal(lookOf(candidate, { held: HELD, isLeftOut: false, answer }).word, 'grizzly');
});

test('the tooltip of a pressed mark says what a press does now, not what was done', () => {
  const candidate = { url: 'https://p.example/bear.jpg', title: null };
  const captured = lookOf(candidate, { held: HELD, isLeftOut: false, answer: null });
  assert.equal(captured.hint, captured.name);
  const excluded = lookOf(candidate, {
    held: { ...HELD, excluded: true },
    isLeftOut: false,
    answer: null,
  });
  const leftOut = lookOf(candidate, { held: null, isLeftOut: true, answer: null });
  for (const { name, hint } of [excluded, leftOut]) {
    assert.doesNotMatch(hint, /Exclude it|Leave out/);
    assert.match(hint, /bear\.jpg\. Click to include it again/);
    assert.match(name, /Exclude it|Leave out/); // it is a toggle button: pressed says the rest
  }
});

test('what is left out is remembered, taken back, and no more than so many', () => {
  const leftOut = new LeftOut();
  for (const url of urls(5002)) leftOut.toggle(url);
  assert.deepEqual([leftOut.list().length, leftOut.has(urls(1)[0])], [5000, false]);
  const [last] = leftOut.list().slice(-1);
  leftOut.toggle(last);
  assert.equal(leftOut.has(last), false);
});
