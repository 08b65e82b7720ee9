/** The background's handlers over a real HTTP server, from message to reply. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendCapture } from '../../extension/background/captures.js';
import { Classifier } from '../../extension/background/classify.js';
import { makeHandlers } from '../../extension/background/handlers.js';
import { CaptureQueue } from '../../extension/background/queue.js';
import { Session } from '../../extension/background/session.js';
import { SettingsStore } from '../../extension/background/settings.js';
import { closedServer, sendProblem, startServer } from './support/server.js';
import { MemoryArea, MemoryStore, makeLock } from './support/storage.js';

const PAIRING = { token: 't0k', token_id: '01T', name: 'this browser', server_version: '0.1.0' };
const BEARS = { id: '01D', name: 'bears' };
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

/** Make the handlers as main.js does, paired with a server. */
function makeBackground(server, stored = {}) {
  const settings = new SettingsStore(new MemoryArea({ server, pairing: PAIRING, ...stored }));
  const client = 'client/1 (test)';
  const session = new Session(settings, client);
  const queue = new CaptureQueue({
    store: new MemoryStore(),
    send: (entry) => sendCapture(session, settings, entry),
    onSent: async ({ capture_key, dataset_id, dataset_name, body }, reply) => {
      const last_capture = { ...reply, capture_key, dataset_id, dataset_name, label: body.label };
      await settings.update({ last_capture });
    },
    schedule: async () => undefined,
    lock: makeLock(),
    now: () => Date.now(),
  });
  const classifier = new Classifier(session);
  const handlers = makeHandlers({ settings, session, queue, classifier, client });
  return { settings, handlers };
}

test('a capture is sent as agreed, remembered, and can be undone', async (t) => {
  const reply = { capture_id: '01C', added: 1, known: 0, refused: [] };
  const { server, requests } = await startServer(t, ({ method }) =>
    method === 'POST' ? reply : {},
  );
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

  assert.equal((await handlers['undo-capture'](null)).capture_id, '01C');
  assert.deepEqual([requests[1].method, requests[1].path], ['DELETE', '/api/v1/captures/01C']);
  await assert.rejects(handlers['undo-capture'](null), /no capture to undo/);
});

test('a capture that the server has lost counts as undone', async (t) => {
  const { server } = await startServer(t, (_request, response) =>
    sendProblem(response, 404, 'not-found'),
  );
  const { settings, handlers } = makeBackground(server, { last_capture: { capture_id: '01C' } });
  await handlers['undo-capture'](null);
  assert.equal((await settings.read()).last_capture, null);
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
  const { server, requests } = await startServer(t, () => ({ capture_id: '01C' }));
  await settings.update({ server });
  const [still] = await handlers['retry-queue'](null);
  assert.match(still.error, /Waits until http/);
  assert.deepEqual(requests, []);
  assert.deepEqual(await handlers['forget-captures']({ capture_key: null }), []);
});

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

test('known addresses are asked in batches', async (t) => {
  const { server, requests } = await startServer(t, ({ body }) => {
    const { urls } = JSON.parse(body);
    return { known: [0, urls.length - 1] };
  });
  const { handlers } = makeBackground(server);
  const urls = Array.from({ length: 1200 }, (_, index) => `https://a.example/${index}`);
  const known = await handlers['find-known']({ dataset_id: '01D', urls });
  assert.equal(requests.length, 3);
  assert.deepEqual(known, [0, 499, 500, 999, 1000, 1199]);
});

test('the filters are remembered', async () => {
  const { handlers } = makeBackground('http://127.0.0.1:1');
  const filters = { min_side_px: 400, shape: 'portrait' };
  assert.deepEqual((await handlers['read-state'](null)).filters, { min_side_px: 0, shape: 'any' });
  await handlers['set-filters']({ filters });
  assert.deepEqual((await handlers['read-state'](null)).filters, filters);
});

test('pages never see the token', async () => {
  const { handlers } = makeBackground('http://127.0.0.1:1');
  const state = await handlers['read-state'](null);
  assert.deepEqual(state.pairing, { name: 'this browser', server_version: '0.1.0' });
  assert.ok(!JSON.stringify(state).includes('t0k'));
});

/** A server whose model knows one answer, and which can't fetch addresses for the given reason. */
function startModel(t, reason) {
  return startServer(t, ({ path, headers }, response) => {
    if (path.startsWith('/api/v1/datasets/')) return BEARS;
    if (path.startsWith('/pic')) {
      response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end('bytes of an image');
      return undefined;
    }
    if (reason !== null && headers['content-type'].includes('json')) {
      return void sendProblem(response, 422, 'image-not-usable', { reason });
    }
    return { dataset_id: '01D', predictions: [{ label: 'grizzly', probability: 0.9 }] };
  });
}

test('an address is classified by the server', async (t) => {
  const { server, requests } = await startModel(t, null);
  const { handlers } = makeBackground(server);
  const url = 'https://a.example/1.jpg';
  const answer = await handlers['classify-address']({ url, dataset_id: '01D' });
  assert.deepEqual([answer.dataset_name, answer.predictions[0].label], ['bears', 'grizzly']);
  assert.equal(requests[0].path, '/api/v1/classify?dataset=01D');
  assert.deepEqual(JSON.parse(requests[0].body), { url });
});

test('bytes are classified as an upload', async (t) => {
  const { server, requests } = await startModel(t, 'http-status');
  const { handlers } = makeBackground(server);
  const data_url = `data:image/png;base64,${btoa('bytes of a file')}`;
  await handlers['classify-upload']({ data_url, dataset_id: null });
  assert.equal(requests[0].path, '/api/v1/classify');
  assert.match(requests[0].body, /Content-Type: image\/png\r\n\r\nbytes of a file/);
});

for (const reason of ['http-status', 'blocked-address', 'not-an-image']) {
  test(`what the server can’t get (${reason}) is fetched here`, async (t) => {
    const { server, requests } = await startModel(t, reason);
    const { handlers } = makeBackground(server);
    const answer = await handlers['classify-address']({ url: `${server}/pic`, dataset_id: null });
    assert.equal(answer.predictions[0].label, 'grizzly');
    assert.match(requests[2].body, /bytes of an image/);
  });
}

test('a refusal that the browser can’t help stays the server’s', async (t) => {
  const { server, requests } = await startModel(t, 'too-large');
  const { handlers } = makeBackground(server);
  const request = { url: `${server}/pic`, dataset_id: null };
  await assert.rejects(handlers['classify-address'](request), { slug: 'image-not-usable' });
  assert.equal(requests.length, 1);
});

test('when both fail, the server’s reason is told', async (t) => {
  const { server } = await startModel(t, 'connection');
  const { handlers } = makeBackground(server);
  const request = { url: `${await closedServer()}/pic`, dataset_id: null };
  await assert.rejects(handlers['classify-address'](request), { slug: 'image-not-usable' });
});
