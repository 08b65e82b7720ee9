/** Captures over a real HTTP server, from the message that makes one to the one that undoes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEARS, PAIRING, makeBackground } from './support/background.js';
import { closedServer, sendProblem, startServer } from './support/server.js';
import { splitCandidates } from '../../extension/background/captures.js';

const CANDIDATE = { url: 'https://a.example/1.jpg', rank: 0, title: 'A bear' };
const REQUEST = {
  dataset: BEARS,
  label: 'grizzly',
  origin: {
    engine: 'bing',
    query: 'Grizzly photos',
    page_url: 'https://b.example/',
    page_title: 'B',
  },
  candidates: [CANDIDATE],
};

const REPLY = { capture_id: '01C', added: 1, known: 0, refused: [] };

/** Undo what the popup offers to undo. */
async function undoLast(handlers) {
  const { last_capture } = await handlers['read-state'](null);
  return handlers['undo-capture']({ capture_key: last_capture?.capture_key ?? 'none' });
}

/** Answers captures with ids of their own, and forgets them. */
function makeTaker() {
  let count = 0;
  return ({ method, body }) => {
    if (method !== 'POST') return {};
    count += 1;
    return { ...REPLY, capture_id: `0${count}C`, added: JSON.parse(body).candidates.length };
  };
}

test('a capture that is kept is no failure, though its choices can’t be remembered', async (t) => {
  const { server, requests } = await startServer(t, makeTaker());
  const { settings, handlers } = makeBackground(server);
  settings.area.set = async () => {
    throw new Error('QUOTA_BYTES quota exceeded');
  };
  assert.equal((await handlers.capture(REQUEST)).state, 'sent');
  assert.equal(requests.length, 1);
});

test('a capture that is kept waits when its sending can’t begin', async () => {
  const { queue, handlers } = makeBackground('http://127.0.0.1:1');
  queue.sendQueued = async () => {
    throw new DOMException('The database is closing.', 'InvalidStateError');
  };
  const outcome = await handlers.capture(REQUEST);
  assert.deepEqual(outcome, { state: 'queued', error: 'The database is closing.' });
  assert.equal((await queue.list()).length, 1);
});

test('a capture is sent as agreed, remembered, and can be undone', async (t) => {
  const { server, requests } = await startServer(t, makeTaker());
  const { settings, handlers } = makeBackground(server);
  const outcome = await handlers.capture(REQUEST);
  assert.equal(outcome.state, 'sent');
  assert.equal(requests[0].path, '/api/v1/datasets/01D/captures');
  const { capture_key, captured_at, ...body } = JSON.parse(requests[0].body);
  assert.match(capture_key, /^[0-9A-Z]{26}$/);
  assert.ok(Math.abs(Date.parse(captured_at) - Date.now()) < 60_000);
  assert.deepEqual(body, {
    label: 'grizzly',
    ...REQUEST.origin,
    client: 'client/1 (test)',
    candidates: [CANDIDATE],
  });
  const { dataset_id, query_labels } = await settings.read();
  assert.deepEqual([dataset_id, query_labels], ['01D', { grizzly: 'grizzly' }]);

  const { last_capture } = await handlers['read-state'](null);
  assert.deepEqual([last_capture.added, last_capture.label], [1, 'grizzly']);
  assert.equal((await undoLast(handlers)).added, 1);
  assert.deepEqual([requests[1].method, requests[1].path], ['DELETE', '/api/v1/captures/01C']);
  assert.equal((await handlers['read-state'](null)).last_capture, null);
  await assert.rejects(undoLast(handlers), /no capture to undo/);
});

test('a capture that the server has lost counts as undone', async (t) => {
  const { server } = await startServer(t, ({ method }, response) =>
    method === 'POST' ? REPLY : sendProblem(response, 404, 'not-found'),
  );
  const { handlers } = makeBackground(server);
  await handlers.capture(REQUEST);
  await undoLast(handlers);
  assert.equal((await handlers['read-state'](null)).last_capture, null);
});

test('undo takes back the last capture that added something, then the one before', async (t) => {
  const ids = ['A', 'B', 'C'];
  const { server, requests } = await startServer(t, ({ method }) => {
    if (method !== 'POST') return {};
    const capture_id = ids.shift();
    return { ...REPLY, capture_id, added: capture_id === 'C' ? 0 : 1 };
  });
  const { handlers } = makeBackground(server);
  for (const label of ['a', 'b', 'c']) {
    const { capture } = await handlers.capture({ ...REQUEST, label });
    assert.equal(capture.added, label === 'c' ? 0 : 1);
  }
  assert.equal((await undoLast(handlers)).label, 'b');
  assert.equal((await undoLast(handlers)).label, 'a');
  await assert.rejects(undoLast(handlers), /no capture to undo/);
  const undone = requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path);
  assert.deepEqual(undone, ['/api/v1/captures/B', '/api/v1/captures/A']);
});

test('a large capture goes in parts that the server takes, and is undone as one', async (t) => {
  const { server, requests } = await startServer(t, makeTaker());
  const { handlers, queue } = makeBackground(server);
  const candidates = Array.from({ length: 2500 }, (_, rank) => ({ ...CANDIDATE, rank }));
  const { state, capture } = await handlers.capture({ ...REQUEST, candidates });
  assert.deepEqual([state, capture.added], ['sent', 2500]);
  const bodies = requests.map(({ body }) => JSON.parse(body));
  assert.deepEqual(
    bodies.flatMap((body) => body.candidates),
    candidates,
  );
  assert.deepEqual(
    bodies.map((body) => body.candidates.length),
    [1000, 1000, 500],
  );
  assert.equal(new Set(bodies.map(({ capture_key }) => capture_key)).size, 3);

  assert.equal((await undoLast(handlers)).added, 2500);
  const undone = requests.slice(3).map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(
    undone,
    ['01C', '02C', '03C'].map((id) => `DELETE /api/v1/captures/${id}`),
  );
  assert.deepEqual(await queue.listSent(), []);
});

test('a large capture that is sent in part is one in the list, and is dropped or undone whole', async (t) => {
  let postCount = 0;
  const take = makeTaker();
  const { server, requests } = await startServer(t, (request, response) => {
    if (request.method === 'POST' && (postCount += 1) === 2) {
      return void sendProblem(response, 503, 'busy');
    }
    return take(request);
  });
  const { handlers } = makeBackground(server);
  const candidates = Array.from({ length: 2500 }, () => CANDIDATE);
  const outcome = await handlers.capture({ ...REQUEST, candidates });
  assert.deepEqual(outcome, { state: 'queued', error: 'It is busy.' });
  const [line, ...others] = await handlers['list-queue'](null);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [line.candidate_count, line.attempt_count, line.error],
    [1000, 1, 'It is busy.'],
  );
  // The server may have the second part without our knowing: it is asked, then all is taken back.
  assert.equal((await undoLast(handlers)).added, 2500);
  assert.equal(requests.filter(({ method }) => method === 'DELETE').length, 3);
  assert.deepEqual(await handlers['list-queue'](null), []);
});

test('an undo that fails halfway is finished by the next', async (t) => {
  let deleteCount = 0;
  const take = makeTaker();
  const { server } = await startServer(t, (request, response) => {
    if (request.method === 'DELETE' && (deleteCount += 1) === 2) {
      return void sendProblem(response, 503, 'busy');
    }
    return take(request);
  });
  const { handlers } = makeBackground(server);
  const candidates = Array.from({ length: 1500 }, () => CANDIDATE);
  await handlers.capture({ ...REQUEST, candidates });
  await assert.rejects(undoLast(handlers), /It is busy/);
  assert.equal((await undoLast(handlers)).added, 500);
  assert.equal(deleteCount, 3);
});

test('candidates of great length are split by their bytes', () => {
  const long = { ...CANDIDATE, url: `https://a.example/${'ä'.repeat(8000)}` };
  const candidates = Array.from({ length: 900 }, (_, rank) => ({ ...long, rank }));
  const parts = splitCandidates(candidates);
  assert.deepEqual(parts.flat(), candidates);
  assert.ok(parts.length > 1);
  for (const part of parts) {
    assert.ok(Buffer.byteLength(JSON.stringify(part)) <= 3 * 1024 ** 2);
  }
  assert.deepEqual(splitCandidates([]), [[]]);
});

test('while the server is down a capture waits and datasets are the last seen', async (t) => {
  const { handlers, settings } = makeBackground(await closedServer(), { datasets: [BEARS] });
  const { datasets, offline } = await handlers['list-datasets'](null);
  assert.deepEqual(datasets, [BEARS]);
  assert.match(offline, /make run/);
  assert.equal((await handlers.capture(REQUEST)).state, 'queued');
  const [queued] = await handlers['list-queue'](null);
  assert.deepEqual(
    [queued.dataset_name, queued.label, queued.candidate_count, queued.state],
    ['bears', 'grizzly', 1, 'queued'],
  );
  assert.equal(queued.body, undefined);

  // The same captures must not reach another server.
  const { server, requests } = await startServer(t, () => REPLY);
  await settings.addServer(server, PAIRING);
  const [still] = await handlers['retry-queue'](null);
  assert.match(still.error, /No server answers/);
  assert.deepEqual(requests, []);
  assert.deepEqual(await handlers['forget-captures']({ capture_key: null }), []);
});

// What the server answers when its person has ended the pairing: with and without an `Origin`.
for (const [status, slug] of [
  [401, 'not-authenticated'],
  [403, 'foreign-origin'],
]) {
  test(`a capture waits for the next pairing after ${slug}`, async (t) => {
    const { server } = await startServer(t, (_request, response) =>
      sendProblem(response, status, slug),
    );
    const { handlers } = makeBackground(server);
    const { state, error } = await handlers.capture(REQUEST);
    assert.equal(state, 'queued');
    assert.match(error, /not paired with .* any more/);
    assert.equal((await handlers['read-state'](null)).is_pairing_lost, true);
  });
}

test('a capture into a dataset that is gone says so', async (t) => {
  const { server } = await startServer(t, (_request, response) =>
    sendProblem(response, 404, 'dataset-not-found'),
  );
  const { handlers } = makeBackground(server);
  assert.deepEqual(await handlers.capture(REQUEST), {
    state: 'refused',
    error: 'It is dataset-not-found.',
  });
});
