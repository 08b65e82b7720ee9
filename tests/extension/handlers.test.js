/** The background's handlers over a real HTTP server, from message to reply. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEARS, makeBackground } from './support/background.js';
import { closedServer, sendProblem, startServer } from './support/server.js';

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

test('known addresses are asked in questions that the server takes, however long they are', async (t) => {
  const { server, requests } = await startServer(t, ({ body }) => {
    const { urls } = JSON.parse(body);
    return { known: [urls.length - 1] };
  });
  const { handlers } = makeBackground(server);
  const urls = Array.from({ length: 500 }, (_, index) => {
    return `https://a.example/${'ä'.repeat(4000)}${index}`;
  });
  const known = await handlers['find-known']({ dataset_id: '01D', urls });
  assert.ok(requests.every(({ headers }) => Number(headers['content-length']) < 4 * 1024 ** 2));
  assert.deepEqual([requests.length, known.length, known.at(-1)], [2, 2, 499]);
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
