/** Runs of scrolling and capturing in the background: one capture of each, however it ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayedBackground, found, waitFor } from './support/scroll-runs.js';
import { makeCandidate } from './support/scrolled.js';

const urlsOf = ({ candidates }) => candidates.map(({ url }) => url);
const urls = (from, to) =>
  Array.from({ length: to - from }, (_, index) => makeCandidate(from + index).url);

test('what a page found is captured at its end, in its order and with its ranks', async () => {
  const world = new PlayedBackground();
  const run = await world.start();
  assert.deepEqual(
    [run.phase, run.count, run.goal_count, world.isWoken],
    ['running', 0, 200, true],
  );
  const { port, answer } = await world.connect();
  assert.equal(answer.state.run_id, run.run_id);
  assert.equal((await port.say(found(0, 120))).state.count, 120);
  assert.equal((await port.say(found(100, 150))).state.count, 150);
  assert.equal((await world.runs.read(7)).count, 150);
  const { state } = await port.say({ type: 'end', end: 'end' });
  assert.deepEqual([state.phase, state.end, state.outcome.capture.added], ['ended', 'end', 150]);
  port.close();
  assert.equal(world.captures.length, 1);
  const [capture] = world.captures;
  assert.deepEqual(urlsOf(capture), urls(0, 150));
  assert.deepEqual(
    capture.candidates.map(({ rank }) => rank),
    [...Array(150).keys()],
  );
  const { label, dataset, server, origin } = capture;
  assert.deepEqual([label, dataset.id, server], ['grizzly', 'D1', world.settings.server]);
  assert.equal(origin.query, 'bears');
  assert.deepEqual([world.shown, world.store.pieces.size], [[], 0]);
});

test('filters of the start hold, and no more than the goal is kept', async () => {
  const world = new PlayedBackground();
  world.settings = { ...world.settings, filters: { min_side_px: 601, shape: 'any' } };
  await world.start(7, 3);
  world.settings = { ...world.settings, filters: { min_side_px: 0, shape: 'any' } };
  const { port } = await world.connect();
  const message = found(0, 10);
  for (const each of message.candidates.slice(4)) each.height = 700;
  assert.equal((await port.say(message)).state.count, 3);
  await port.say({ type: 'end', end: 'goal' });
  assert.deepEqual(urlsOf(world.captures[0]), urls(4, 7));
});

test('what the person leaves out, before or after it was found, is not captured', async () => {
  const world = new PlayedBackground();
  await world.start(7, 50);
  const { port } = await world.connect();
  const leftOut = urls(0, 3);
  assert.equal((await port.say({ ...found(0, 20), left_out: leftOut })).state.count, 17);
  world.evict();
  const again = await world.connect();
  const taken = [...urls(1, 3), ...urls(30, 40)];
  assert.equal((await again.port.say({ ...found(20, 60), left_out: taken })).state.count, 48);
  assert.equal((await again.port.say(found(60, 80))).state.count, 50);
  const { state } = await again.port.say({ type: 'end', end: 'goal' });
  assert.equal(state.count, 50);
  const captured = [...urls(0, 1), ...urls(3, 30), ...urls(40, 62)];
  assert.deepEqual(world.captures.map(urlsOf), [captured]);
});

test('a page that goes leaves what it found, and the person is told', async () => {
  const world = new PlayedBackground();
  await world.start();
  const { port } = await world.connect();
  await port.say(found(0, 80));
  port.close();
  await waitFor(() => world.shown.length > 0);
  assert.deepEqual([urlsOf(world.captures[0]), world.shown], [urls(0, 80), [[7, 'page-left']]]);
  await world.runs.onTabClosed(7);
  assert.deepEqual([world.captures.length, world.store.runs.size], [1, 0]);
});

test('an evicted worker knows the run again, and what is told twice is kept once', async () => {
  const world = new PlayedBackground();
  const { run_id } = await world.start();
  const first = await world.connect();
  await first.port.say(found(0, 60));
  world.evict();
  const { port, answer } = await world.connect(7, run_id);
  assert.equal(answer.state.count, 60);
  assert.equal((await port.say(found(40, 90))).state.count, 90);
  await port.say({ type: 'end', end: 'stopped' });
  assert.deepEqual(world.captures.map(urlsOf), [urls(0, 90)]);
});

test('a tab that is closed while no worker lives is captured by the next one', async () => {
  const world = new PlayedBackground();
  await world.start();
  const { port } = await world.connect();
  await port.say(found(0, 30));
  world.evict();
  await world.runs.onTabClosed(7);
  assert.deepEqual(world.captures.map(urlsOf), [urls(0, 30)]);
});

test('a worker that dies while it captures makes the same capture again', async () => {
  const world = new PlayedBackground();
  await world.start();
  const { port } = await world.connect();
  await port.say(found(0, 30));
  // It dies after the capture was stored and before that is known here.
  const { settle } = world.store;
  world.store.settle = () => new Promise(() => {});
  void port.say({ type: 'end', end: 'end' }).catch(() => {});
  await waitFor(() => world.captures.length > 0);
  world.store.settle = settle;
  world.evict();
  await world.runs.tidyUp(false);
  const [first, second, ...others] = world.captures;
  assert.deepEqual([first.seed, urlsOf(first)], [second.seed, urlsOf(second)]);
  assert.deepEqual([others, world.isWoken], [[], false]);
  assert.equal((await world.runs.read(7)).end, 'end');
});

test('what could not be stored is told, kept, and captured later', async () => {
  const world = new PlayedBackground();
  world.captureErrors.push(new Error('The disk is full.'));
  await world.start();
  const { port } = await world.connect();
  await port.say(found(0, 30));
  const { state } = await port.say({ type: 'end', end: 'goal' });
  assert.deepEqual([state.phase, state.error], ['capturing', 'The disk is full.']);
  await world.runs.tidyUp(false);
  assert.deepEqual(world.captures.map(urlsOf), [urls(0, 30)]);
  assert.deepEqual([(await world.runs.read(7)).error, world.isWoken], [null, false]);
});

test('a disk that fills up ends the run with what was kept until then', async () => {
  const world = new PlayedBackground();
  await world.start();
  const { port } = await world.connect();
  await port.say(found(0, 30));
  world.store.failures = 1;
  const { state } = await port.say(found(30, 60));
  assert.deepEqual([state.phase, state.end], ['ended', 'failed']);
  assert.deepEqual(world.captures.map(urlsOf), [urls(0, 30)]);
});

test('a page that nothing is heard of is given up after a while, and not before', async () => {
  const world = new PlayedBackground();
  await world.start();
  const { port } = await world.connect();
  await port.say({ ...found(0, 30), phase: 'hidden' });
  world.evict();
  world.nowMs += 10 * 60_000;
  await world.runs.tidyUp(false);
  assert.deepEqual([world.captures.length, world.isWoken], [0, true]);
  world.nowMs += 11 * 60_000;
  await world.runs.tidyUp(false);
  assert.deepEqual([world.captures.length, world.isWoken], [1, false]);
});

test('a new session of the browser captures what the last one left', async () => {
  const world = new PlayedBackground();
  await world.start(7);
  await (await world.connect(7)).port.say(found(0, 30));
  await world.start(8);
  const { port } = await world.connect(8);
  await port.say({ type: 'end', end: 'stopped' });
  world.evict();
  await world.runs.tidyUp(true);
  assert.deepEqual(world.captures.map(urlsOf), [urls(0, 30)]);
  assert.equal(await world.runs.read(8), null);
});

test('Stop tells the page; of one that does not answer, what it found is captured', async () => {
  const world = new PlayedBackground();
  await world.start();
  const { port } = await world.connect();
  await port.say(found(0, 30));
  await world.runs.stop(7);
  assert.ok(port.received.some(({ type }) => type === 'stop'));
  await waitFor(() => world.captures.length > 0);
  assert.equal((await world.runs.read(7)).end, 'stopped');
});

test('Stop stops no run that was started after it', async () => {
  const world = new PlayedBackground();
  let wake = () => {};
  world.runs.parts.sleep = () => new Promise((resolve) => (wake = resolve));
  await world.start();
  const first = await world.connect();
  await world.runs.stop(7);
  await first.port.say({ type: 'end', end: 'stopped' });
  await world.start();
  const { port } = await world.connect();
  await port.say(found(0, 30));
  wake();
  first.port.close();
  assert.equal((await port.say(found(30, 60))).state.count, 60);
  assert.deepEqual([(await world.runs.read(7)).phase, world.captures], ['running', []]);
});

test('a page that reports again after Stop is told how its run ended', async () => {
  const world = new PlayedBackground();
  const { run_id } = await world.start();
  await (await world.connect()).port.say({ ...found(0, 30), phase: 'hidden' });
  world.evict();
  assert.equal((await world.runs.stop(7)).end, 'stopped');
  const { port, answer } = await world.connect(7, run_id);
  assert.equal(answer.state.end, 'stopped');
  assert.equal((await port.say(found(30, 60))).state.count, 30);
  assert.equal(world.captures.length, 1);
});

test('nothing found captures nothing', async () => {
  const world = new PlayedBackground();
  await world.start();
  const { port } = await world.connect();
  const { state } = await port.say({ type: 'end', end: 'end' });
  assert.deepEqual([state.phase, state.outcome, world.captures], ['ended', null, []]);
});

test('a second run in a tab, a captcha and an unreadable page are refused, and leave nothing', async () => {
  const world = new PlayedBackground();
  await world.start();
  await assert.rejects(world.start(), /already/);
  world.state = 'blocked';
  await assert.rejects(world.start(8), /captcha/);
  world.state = 'ok';
  world.injectError = new Error('Cannot access');
  await assert.rejects(world.start(9), /Cannot access/);
  assert.deepEqual(
    [...world.store.runs.values()].map(({ tab_id }) => tab_id),
    [7],
  );
});

test('a tab without a run, and a page of another one, are sent away', async () => {
  const world = new PlayedBackground();
  assert.equal((await world.connect(5)).answer.type, 'gone');
  await world.start();
  const { port, answer } = await world.connect(7, '01ARYZ6S410000000000000000');
  assert.equal(answer.type, 'gone');
  assert.equal((await port.say(found(0, 30))).type, 'gone');
  assert.equal((await world.runs.read(7)).count, 0);
});

test('runs in two tabs do not mix', async () => {
  const world = new PlayedBackground();
  await world.start(7);
  await world.start(8);
  const [seven, eight] = [await world.connect(7), await world.connect(8)];
  await Promise.all([seven.port.say(found(0, 30)), eight.port.say(found(30, 60))]);
  await eight.port.say({ type: 'end', end: 'end' });
  await seven.port.say({ type: 'end', end: 'end' });
  assert.deepEqual(world.captures.map(urlsOf), [urls(30, 60), urls(0, 30)]);
});
