/** The page's side of the port: a worker that goes away is asked again, one that is gone is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LinkLost,
  MAX_SENT_AT_ONCE,
  RunOver,
  ScrollLink,
} from '../../extension/content/scroll/link.js';
import { found } from './support/scroll-runs.js';

/** A background that answers by `answer(message)`; `null` closes the port instead. */
function play(answer) {
  const world = { said: [], ports: 0, stopped: 0, slept: [], isInstalled: true };
  const connect = () => {
    if (!world.isInstalled) throw new Error('Extension context invalidated.');
    world.ports += 1;
    const listeners = { message: [], gone: [] };
    world.tell = (order) => listeners.message.forEach((listener) => listener(order));
    return {
      postMessage: (message) => {
        world.said.push(message);
        const reply = answer(message, world);
        setImmediate(() => {
          if (reply === null) listeners.gone.forEach((listener) => listener());
          else world.tell({ id: message.id, ...reply });
        });
      },
      disconnect: () => {},
      onMessage: { addListener: (listener) => listeners.message.push(listener) },
      onDisconnect: { addListener: (listener) => listeners.gone.push(listener) },
    };
  };
  world.link = new ScrollLink({
    connect,
    sleep: async (ms) => world.slept.push(ms),
    onStop: () => {
      world.stopped += 1;
    },
  });
  return world;
}
const state = (fields = {}) => ({
  type: 'state',
  state: { run_id: 'R1', count: 0, end: null, ...fields },
});

test('what a worker did not acknowledge is said again to the next one, after a greeting', async () => {
  let isEvicted = false;
  const world = play(({ type }) => {
    if (type !== 'found' || isEvicted) return state({ count: 30 });
    isEvicted = true;
    return null;
  });
  await world.link.open();
  assert.equal((await world.link.report(found(0, 30).candidates, 'running', [])).count, 30);
  assert.deepEqual(
    world.said.map(({ type, run_id, candidates }) => [type, run_id ?? candidates?.length ?? null]),
    [
      ['hello', null],
      ['found', 30],
      ['hello', 'R1'],
      ['found', 30],
    ],
  );
  assert.equal(world.ports, 2);
});

test('much is said in pieces that the background takes, nothing in one', async () => {
  const world = play(() => state());
  await world.link.open();
  await world.link.report(found(0, 2 * MAX_SENT_AT_ONCE + 1).candidates, 'running', []);
  await world.link.report([], 'hidden', []);
  assert.deepEqual(
    world.said.slice(1).map(({ candidates, phase }) => [candidates.length, phase]),
    [
      [MAX_SENT_AT_ONCE, 'running'],
      [MAX_SENT_AT_ONCE, 'running'],
      [1, 'running'],
      [0, 'hidden'],
    ],
  );
});

test('what is left out is said when it changes, and again when nobody acknowledged it', async () => {
  let isEvicted = false;
  const world = play(({ left_out }) => {
    if (!left_out || isEvicted) return state();
    isEvicted = true;
    return null;
  });
  await world.link.open();
  for (const leftOut of [[], ['a'], ['a'], []]) await world.link.report([], 'running', leftOut);
  const said = world.said.filter(({ type }) => type === 'found').map(({ left_out }) => left_out);
  assert.deepEqual(said, [null, ['a'], ['a'], null, []]);
});

test('an order to stop is heard at any time', async () => {
  const world = play(() => state());
  await world.link.open();
  world.tell({ type: 'stop' });
  assert.equal(world.stopped, 1);
});

test('a run that was ended elsewhere is over', async () => {
  const world = play(({ type }) => (type === 'hello' ? state() : state({ end: 'stopped' })));
  await world.link.open();
  await assert.rejects(world.link.report([], 'running', []), (error) => {
    assert.ok(error instanceof RunOver);
    assert.equal(error.state.end, 'stopped');
    return true;
  });
});

test('an extension that is gone is asked a few times, a run that is unknown once', async () => {
  const world = play(() => state());
  await world.link.open();
  world.isInstalled = false;
  world.link.port = null;
  await assert.rejects(world.link.report([], 'running', []), LinkLost);
  assert.ok(world.slept.length >= 2 && world.slept.length < 10);
  const stranger = play(() => ({ type: 'gone' }));
  await assert.rejects(stranger.link.open(), LinkLost);
  assert.equal(stranger.said.length, 1);
});
