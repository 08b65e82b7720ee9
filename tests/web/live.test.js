import './support/dom.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../server/web/assets/lib/api.js';
import { poll, sleep, watchDataset, watchJob } from '../../server/web/assets/lib/live.js';

const problem = (status) =>
  new Problem({ slug: 'x', title: 'x', status, detail: 'x', members: {} });

test('a wait ends at once when it is stopped', async () => {
  const stop = new AbortController();
  const waiting = sleep(60_000, stop.signal);
  stop.abort();
  await waiting;
  await sleep(60_000, stop.signal);
});

test('polling goes on until it is told to end', async () => {
  let rounds = 0;
  await poll(async () => ++rounds < 3, 0, new AbortController().signal);
  assert.equal(rounds, 3);
});

test('polling waits for a server that is away, and gives up on a refusal', async () => {
  const answers = [problem(0), problem(503), null, problem(404)];
  let rounds = 0;
  const step = async () => {
    const answer = answers[rounds++];
    if (answer) throw answer;
  };
  await assert.rejects(poll(step, 0, new AbortController().signal), { status: 404 });
  assert.equal(rounds, 4);
});

test('polling stops with the page, also in the middle of a round', async () => {
  const stop = new AbortController();
  const step = async () => {
    stop.abort();
    throw problem(404);
  };
  await poll(step, 0, stop.signal);
});

/** Stands in for the browser's: Node has no EventSource. */
class FakeSource extends EventTarget {
  static CLOSED = 2;
  static last = null;
  readyState = 1;

  constructor(url) {
    super();
    this.url = url;
    FakeSource.last = this;
  }

  close() {
    this.readyState = FakeSource.CLOSED;
  }
}

test('counts are followed until the page ends', () => {
  globalThis.EventSource = FakeSource;
  const stop = new AbortController();
  const seen = [];
  watchDataset(
    'A',
    { onChange: (dataset) => seen.push(dataset.id), onDeleted: () => seen.push('deleted') },
    stop.signal,
  );
  const source = FakeSource.last;
  assert.equal(source.url, '/api/v1/datasets/A/events');
  source.dispatchEvent(new MessageEvent('counts', { data: '{"id":"A"}' }));
  assert.deepEqual(seen, ['A']);
  stop.abort();
  assert.equal(source.readyState, FakeSource.CLOSED);
});

test('a training is followed to its end, also when newer ones push it out of the events', async () => {
  globalThis.EventSource = FakeSource;
  const job = (state) => ({ id: 'J', dataset_id: 'A', state });
  const asked = [];
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    const headers = { 'X-Bowerbird': '1', 'Content-Type': 'application/json' };
    return new Response(JSON.stringify(job('running')), { headers });
  };
  const seen = [];
  let told;
  const onChange = (now) => {
    seen.push(now.state);
    told?.();
  };
  watchJob(job('queued'), onChange, new AbortController().signal);
  const source = FakeSource.last;
  const send = (...items) =>
    source.dispatchEvent(new MessageEvent('jobs', { data: JSON.stringify({ items }) }));
  send(job('queued'));
  await new Promise((resolve) => {
    told = resolve;
    send({ ...job('failed'), id: 'another' });
  });
  assert.equal(asked.length, 1);
  assert.match(asked[0], /\/api\/v1\/jobs\/J$/);
  send(job('succeeded'));
  assert.equal(source.readyState, FakeSource.CLOSED);
  send(job('running'));
  assert.deepEqual(seen, ['queued', 'running', 'succeeded']);
});
