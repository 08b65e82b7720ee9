/** What pages may ask the model by way of the background, over a real HTTP server. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OverlayHost } from '../../extension/background/overlay.js';
import { Session } from '../../extension/background/session.js';
import { SettingsStore } from '../../extension/background/settings.js';
import { closedServer, sendJson, sendProblem, startServer } from './support/server.js';
import { MemoryArea } from './support/storage.js';

const PAIRING = { token: 't0k', token_id: '01T', name: 'this browser', server_version: '0.1.0' };
const PAGE = 'https://www.google.de/search?q=grizzlies&udm=2';
const URLS = ['https://a.example/0.jpg', 'https://a.example/1.jpg'];
const DATASET = { id: '01D', counts: { labels: { Grizzly: { total: 9 } } } };
const ANSWER = {
  model_id: '01M',
  bundle_sha256: 'ab',
  label: 'Grizzly',
  probability: 0.9,
  abstained: false,
  predictions: [{ label: 'Grizzly', probability: 0.9 }],
};

/** Make the background's side; `opinions` is what the page's script says that it has. */
function makeHost(server, stored = {}, opinions = null) {
  const known = {
    url: server,
    is_pairing_lost: false,
    pairing: PAIRING,
    dataset_id: '01D',
    datasets: [DATASET],
    last_labels: {},
  };
  const { known: changes, ...shared } = { known: {}, ...stored };
  const area = new MemoryArea({
    revision: 2,
    server,
    servers: [{ ...known, ...changes }],
    is_model_asked: true,
    query_labels: { grizzlies: 'grizzly' },
    ...shared,
  });
  const settings = new SettingsStore(area);
  const host = new OverlayHost({
    settings,
    session: new Session(settings, 'client/1 (test)'),
    tabs: {
      get: async (id) => ({ id, url: PAGE }),
      query: async () => [{ id: 7 }],
      sendMessage: async () => ({ is_shown: true, opinions }),
    },
    enter: async () => undefined,
    isPermitted: async () => true,
  });
  const ask = (type, request) => host.answer({ type, request }, { tab: { id: 7 }, url: PAGE });
  const readSubject = async () =>
    (await ask('read-overlay', { query: 'grizzlies' })).reply.asking?.subject;
  return { host, ask, settings, readSubject };
}

test('a page is told whom it asks and for what label only when the person wants that', async () => {
  const read = async (stored, query = 'Grizzlies photos') => {
    const { ask } = makeHost('http://127.0.0.1:8000', stored);
    return (await ask('read-overlay', { query })).reply.asking;
  };
  const { subject, label } = await read({});
  assert.equal(label, 'Grizzly'); // as it was remembered for the query, in the dataset's spelling
  assert.match(subject, /^[0-9a-f]{16}$/);
  assert.equal((await read({}, null)).label, '');
  assert.equal((await read({ known: { last_labels: { '01D': 'teddy' } } }, null)).label, 'teddy');
  assert.notEqual((await read({ known: { dataset_id: '02D' } })).subject, subject);
  assert.equal(await read({ is_model_asked: false }), null);
  assert.equal(await read({ is_model_asked: 'yes' }), null);
  assert.equal(await read({ known: { pairing: null } }), null);
  assert.equal(await read({ known: { dataset_id: null } }), null);
});

test('the live model of the chosen dataset is asked, and a page learns no more than it says', async (t) => {
  const error = { kind: 'image-not-usable', reason: 'http-status', detail: 'It answered 403.' };
  const { server, requests } = await startServer(t, () => ({
    answers: [{ answer: null, error }, { answer: ANSWER, error: null }], // prettier-ignore
  }));
  const { ask, readSubject } = makeHost(server);
  const reply = await ask('ask-opinions', { subject: await readSubject(), urls: URLS });
  const opinions = [{ index: 1, label: 'Grizzly', probability: 0.9, is_abstained: false }];
  assert.deepEqual(reply, { ok: true, reply: { state: 'answered', opinions } });
  const [{ method, path, body, headers }] = requests;
  assert.deepEqual(
    [method, path],
    ['POST', '/api/v1/classify?dataset=01D&top=1&site=www.google.de'],
  );
  assert.deepEqual(JSON.parse(body), { images: URLS.map((url) => ({ url })) });
  assert.equal(headers.authorization, 'Bearer t0k');
});

test('whatever our script would not ask is refused, and the server hears nothing of it', async (t) => {
  const { server, requests } = await startServer(t, () => ({ answers: [] }));
  const { ask, settings, readSubject } = makeHost(server);
  const subject = await readSubject();
  const bad = [
    null,
    { subject },
    { subject, urls: [] },
    { subject, urls: 'https://a.example/' },
    { subject, urls: Array(9).fill(URLS[0]) },
    { subject, urls: [URLS[0], 5] },
    { subject, urls: ['file:///etc/passwd'] },
    { subject, urls: ['data:image/png;base64,AAAA'] },
    { subject, urls: [`https://a.example/${'x'.repeat(8192)}`] },
    { urls: URLS },
    { subject: `${subject}0`, urls: URLS },
  ];
  for (const request of bad) {
    assert.deepEqual(await ask('ask-opinions', request), { ok: false }, JSON.stringify(request));
  }
  assert.deepEqual(await ask('read-overlay', { query: ['x'] }), { ok: false });
  await settings.update({ is_model_asked: false });
  assert.deepEqual(await ask('ask-opinions', { subject, urls: URLS }), { ok: false });
  assert.deepEqual(requests, []);
});

test('a busy server says for how long, in its header', async (t) => {
  const headers = { 'X-Bowerbird': '1', 'Content-Type': 'application/problem+json' };
  const pauses = ['7', undefined, 'Wed, 21 Oct 2026 07:28:00 GMT'];
  const { server } = await startServer(t, (_request, response) => {
    const pause = pauses.shift();
    response.writeHead(503, pause === undefined ? headers : { ...headers, 'Retry-After': pause });
    response.end(JSON.stringify({ type: '/problems/too-busy', status: 503, detail: 'Later.' }));
  });
  const { ask, readSubject } = makeHost(server);
  const request = { subject: await readSubject(), urls: URLS };
  for (const retry_after_s of [7, 5, 5]) {
    const { reply } = await ask('ask-opinions', request);
    assert.deepEqual(reply, { state: 'busy', retry_after_s });
  }
});

test('a page hears of a missing model, and of no other trouble what it is', async (t) => {
  const problems = [[409, 'no-model'], [404, 'dataset-not-found'], [401, 'unauthorised']]; // prettier-ignore
  const { server } = await startServer(t, (_request, response) =>
    sendProblem(response, ...problems.shift()),
  );
  const { ask, readSubject } = makeHost(server);
  const request = { subject: await readSubject(), urls: URLS };
  assert.deepEqual((await ask('ask-opinions', request)).reply, { state: 'no-model' });
  assert.deepEqual(await ask('ask-opinions', request), { ok: false });
  assert.deepEqual(await ask('ask-opinions', request), { ok: false });
  const down = makeHost(await closedServer());
  const other = { subject: await down.readSubject(), urls: URLS };
  assert.deepEqual(await down.ask('ask-opinions', other), { ok: false });
});

test('three questions of all pages are on their way, and a fourth waits without the server', async (t) => {
  const open = [];
  const { server, requests } = await startServer(t, (_request, response) => {
    open.push(response);
  });
  const { ask, readSubject } = makeHost(server);
  const request = { subject: await readSubject(), urls: URLS };
  const sent = [1, 2, 3].map(() => ask('ask-opinions', request));
  const until = Date.now() + 5000;
  while (open.length < 3 && Date.now() < until) await new Promise((done) => setTimeout(done, 10));
  const fourth = await ask('ask-opinions', request);
  assert.deepEqual(fourth.reply, { state: 'busy', retry_after_s: 1 });
  assert.equal(requests.length, 3);
  for (const response of open) sendJson(response, 200, { answers: [] });
  for (const { reply } of await Promise.all(sent)) assert.equal(reply.state, 'answered');
});

test('the popup gets the opinions of a page only for the dataset that they are of', async () => {
  const first = makeHost('http://127.0.0.1:8000');
  const opinions = { subject: await first.readSubject(), opinions: [], trouble: null };
  const { host } = makeHost('http://127.0.0.1:8000', {}, opinions);
  assert.deepEqual(await host.readOpinions(7, '01D'), opinions);
  assert.equal(await host.readOpinions(7, '02D'), null);
  assert.equal(await first.host.readOpinions(7, '01D'), null);
});
