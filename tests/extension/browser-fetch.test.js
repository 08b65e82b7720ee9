/** A run over what the server was refused: real sites, a real server, and everything that can end it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PAIRING, makeBackground } from './support/background.js';
import { MemoryArea } from './support/storage.js';
import { closedServer, sendJson, sendProblem, startServer } from './support/server.js';
import { BrowserFetch } from '../../extension/background/browser-fetch.js';

const imageOf = (id, url, more = {}) => ({
  id,
  url,
  source_url: null,
  reason: 'http-status',
  http_status: 403,
  ...more,
});

/** A server that holds these images; `settle` says what becomes of one whose bytes are sent. */
function startDataset(t, images, settle = () => ({ status: 'ready' })) {
  const left = new Map(images.map((image) => [image.id, image]));
  const sent = [];
  return startServer(t, ({ method, path, body }, response) => {
    const { pathname, searchParams } = new URL(path, 'http://x');
    if (method === 'GET') {
      assert.equal(searchParams.get('obtainable'), 'browser');
      return { items: [...left.values()], total: left.size, next_cursor: null };
    }
    const id = pathname.split('/').at(-2);
    sent.push({ id, body });
    const settled = settle(id, response);
    if (settled === undefined) return undefined;
    left.delete(id);
    return settled;
  }).then((server) => ({ ...server, left, sent }));
}

/** The part to be tested, with a short pause and every host permitted unless told otherwise. */
function makeFetch(server, more = {}) {
  const { session, images, browserRules } = makeBackground(server);
  const area = more.area ?? new MemoryArea();
  const parts = { session, images, area, isPermitted: async () => true, pauseMs: 0, ...more };
  return { fetch: new BrowserFetch(parts), area, parts, browserRules };
}

async function runToEnd(fetch, hosts = ['127.0.0.1']) {
  const { server } = await fetch.parts.session.settings.read();
  await fetch.start({ server, dataset_id: '01D', hosts });
  await fetch.work;
  return fetch.readRun();
}

const site = (t, answer) =>
  startServer(t, answer ?? ((_request, response) => void response.end('bytes')));

test('bytes are sent with how they were had and from where in the end', async (t) => {
  const photos = await site(t, ({ path }, response) => {
    if (path === '/old') return void response.writeHead(302, { Location: '/new' }).end();
    return void response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end('bytes of an image');
  });
  const source_url = `${photos.server}/gallery`;
  const dataset = await startDataset(t, [imageOf('01A', `${photos.server}/old`, { source_url })]);
  const { fetch, browserRules } = makeFetch(dataset.server);
  const run = await runToEnd(fetch);
  assert.deepEqual(
    [run.is_running, run.total, run.obtained, run.refused, run.error],
    [false, 1, 1, [], null],
  );
  const put = dataset.requests.find(({ method }) => method === 'PUT');
  assert.equal(put.path, '/api/v1/images/01A/file');
  assert.match(put.body, /name="via"\r\n\r\nbrowser\r\n/);
  assert.ok(put.body.includes(`name="final_url"\r\n\r\n${photos.server}/new\r\n`));
  assert.match(put.body, /image\/jpeg\r\n\r\nbytes of an image/);
  const set = browserRules.history.find(({ action }) => action.type === 'modifyHeaders');
  assert.equal(set.action.requestHeaders[0].value, source_url);
  assert.deepEqual(browserRules.rules, []);
});

test('what is refused is counted by host and reason, and the rest goes on', async (t) => {
  const photos = await site(t, ({ path }, response) => {
    const status = Number(path.slice(1, 4));
    response.writeHead(status).end('bytes');
  });
  const urls = ['/403/1', '/200/2', '/403/3', '/429/4', '/200/5', '/200/6'];
  const images = urls.map((path, index) => imageOf(`0${index}`, photos.server + path));
  const dataset = await startDataset(t, images, (id, response) => {
    if (id === '04') return { status: 'rejected', reason: 'not-an-image' };
    if (id === '05') return void sendProblem(response, 409, 'image-not-obtainable');
    return { status: 'duplicate' };
  });
  const run = await runToEnd(makeFetch(dataset.server).fetch);
  assert.deepEqual([run.total, run.obtained, run.error], [6, 1, null]);
  const refused = run.refused.map(({ reason, status, count }) => `${reason} ${status} ${count}`);
  assert.deepEqual(refused.sort(), [
    'http-status 403 2',
    'http-status 429 1',
    'not-an-image null 1',
    'server null 1',
  ]);
});

/** A site that answers nobody before so many requests are in flight; says how many were at most. */
async function crowdedSite(t, wanted) {
  const seen = { inFlight: 0, most: 0 };
  let open;
  const isFull = new Promise((resolve) => (open = resolve));
  const answer = async (response) => {
    seen.inFlight += 1;
    seen.most = Math.max(seen.most, seen.inFlight);
    if (seen.inFlight === wanted) open();
    await isFull;
    await sleep(5); // one too many would come meanwhile
    seen.inFlight -= 1;
    response.end('bytes');
  };
  return { ...(await site(t, (_request, response) => void answer(response))), seen };
}

for (const [hosts, wanted] of [
  [['127.0.0.1'], 2],
  [['127.0.0.1', 'localhost'], 4],
]) {
  test(`of ${hosts.join(' and ')} two images each are in flight, and never more`, async (t) => {
    const { server, seen } = await crowdedSite(t, wanted);
    const { port } = new URL(server);
    const images = hosts.flatMap((host) =>
      [1, 2, 3, 4, 5].map((n) => imageOf(`${host}${n}`, `http://${host}:${port}/${n}`)),
    );
    const dataset = await startDataset(t, images);
    const run = await runToEnd(makeFetch(dataset.server).fetch, hosts);
    assert.deepEqual([run.obtained, seen.most], [images.length, wanted]);
  });
}

test('only the hosts that were asked for are fetched from', async (t) => {
  const photos = await site(t);
  const images = [imageOf('01', `${photos.server}/1`), imageOf('02', 'https://b.example/2.jpg')];
  const dataset = await startDataset(t, images);
  const run = await runToEnd(makeFetch(dataset.server).fetch);
  assert.deepEqual([run.total, run.obtained], [1, 1]);
  assert.deepEqual([...dataset.left.keys()], ['02']);
});

test('a host without permission is counted and not asked', async (t) => {
  const photos = await site(t);
  const images = [1, 2, 3].map((n) => imageOf(`0${n}`, `${photos.server}/${n}`));
  const dataset = await startDataset(t, images);
  const asked = [];
  const isPermitted = async (origins) => {
    asked.push(...origins);
    return false;
  };
  const run = await runToEnd(makeFetch(dataset.server, { isPermitted }).fetch);
  const refused = { host: '127.0.0.1', reason: 'not-permitted', status: null, count: 3 };
  assert.deepEqual(run.refused, [refused]);
  assert.deepEqual([asked, photos.requests], [['http://127.0.0.1/*'], []]);
});

test('an address of the person’s own network is fetched only where the server got an answer', async (t) => {
  const photos = await site(t);
  const images = [imageOf('01', `${photos.server}/1`, { http_status: null, reason: 'timeout' })];
  const dataset = await startDataset(t, images);
  const run = await runToEnd(makeFetch(dataset.server).fetch);
  assert.deepEqual([run.refused[0].reason, photos.requests], ['private-address', []]);
});

test('when the server goes away the run ends and says so', async (t) => {
  const photos = await site(t);
  const images = [1, 2, 3, 4, 5, 6].map((n) => imageOf(`0${n}`, `${photos.server}/${n}`));
  const dataset = await startDataset(t, images, (_id, response) => void response.destroy());
  const run = await runToEnd(makeFetch(dataset.server).fetch);
  assert.deepEqual([run.is_running, run.obtained], [false, 0]);
  assert.ok(run.error.includes(dataset.server), run.error);
  assert.ok(photos.requests.length <= 2, 'the others would fail in the same way');
  const gone = await runToEnd(makeFetch(await closedServer()).fetch);
  assert.deepEqual([gone.is_running, gone.total], [false, 0]);
  assert.notEqual(gone.error, null);
});

test('a run stays with the server it was wished for, whichever is chosen meanwhile', async (t) => {
  const photos = await site(t);
  const images = [1, 2].map((n) => imageOf(`0${n}`, `${photos.server}/${n}`));
  const other = await startDataset(t, images);
  const { fetch, parts } = makeFetch('http://127.0.0.1:1');
  const { settings } = parts.session;
  const dataset = await startDataset(t, images, (id) => {
    if (id === '01') void settings.chooseServer(other.server);
    return { status: 'ready' };
  });
  await settings.addServer(other.server, PAIRING);
  await settings.addServer(dataset.server, PAIRING);
  await fetch.wish({ dataset_id: '01D', hosts: ['127.0.0.1'], origins: [] });
  await settings.chooseServer(other.server);
  await fetch.startWished();
  await fetch.work;
  assert.deepEqual([dataset.sent.length, other.requests.length], [2, 0]);
  assert.equal((await fetch.readRun()).obtained, 2);
});

test('a second start while one is at work changes nothing', async (t) => {
  const photos = await site(t);
  const dataset = await startDataset(t, [imageOf('01', `${photos.server}/1`)]);
  const { server } = dataset;
  const { fetch } = makeFetch(server);
  const first = await fetch.start({ server, dataset_id: '01D', hosts: ['127.0.0.1'] });
  const second = await fetch.start({ server, dataset_id: 'other', hosts: [] });
  assert.equal(second.dataset_id, first.dataset_id);
  await fetch.work;
  assert.deepEqual([dataset.sent.length, (await fetch.readRun()).obtained], [1, 1]);
});

test('the next worker takes up the run of one that was killed, but not for ever', async (t) => {
  const photos = await site(t);
  const images = [1, 2, 3].map((n) => imageOf(`0${n}`, `${photos.server}/${n}`));
  const dataset = await startDataset(t, images);
  const { area } = makeFetch(dataset.server);
  const left = {
    server: dataset.server,
    dataset_id: '01D',
    hosts: ['127.0.0.1'],
    is_running: true,
    resumed_count: 0,
    total: 5,
    obtained: 1, // and one that it had sent but not counted
    refused: [],
    error: null,
  };
  await area.set({ browser_fetch: left });
  const { fetch } = makeFetch(dataset.server, { area });
  await fetch.resume();
  const run = await fetch.readRun();
  assert.deepEqual([run.is_running, run.resumed_count, run.total, run.obtained], [false, 1, 5, 5]);
  await fetch.resume();
  assert.equal(dataset.sent.length, 3);

  await area.set({ browser_fetch: { ...left, resumed_count: 5 } });
  await fetch.resume();
  assert.equal((await fetch.readRun()).is_running, false);
  assert.equal(dataset.sent.length, 3);
});

const WISH = { dataset_id: '01D', hosts: ['127.0.0.1'], origins: ['http://127.0.0.1/*'] };

test('a wish is done when the permission is given, once, whoever tells of it', async (t) => {
  const photos = await site(t);
  const dataset = await startDataset(t, [imageOf('01', `${photos.server}/1`)]);
  const { fetch } = makeFetch(dataset.server);
  await fetch.wish(WISH);
  const [first, second] = await Promise.all([fetch.startWished(), fetch.startWished()]);
  assert.deepEqual([first.dataset_id, second.dataset_id], ['01D', '01D']);
  await fetch.work;
  assert.equal((await fetch.startWished()).obtained, 1);
  assert.equal(fetch.work, null);
  assert.deepEqual([dataset.sent.length, (await fetch.readRun()).obtained], [1, 1]);
});

test('a wish that was taken back, or whose permission was not given, is not done', async (t) => {
  let isPermitted = true;
  const dataset = await startDataset(t, []);
  const { fetch } = makeFetch(dataset.server, { isPermitted: async () => isPermitted });
  await fetch.wish(WISH);
  await fetch.wish(null);
  assert.equal(await fetch.startWished(), null);
  await fetch.wish(WISH);
  isPermitted = false; // another one was given
  assert.equal(await fetch.startWished(), null);
  isPermitted = true;
  assert.equal((await fetch.startWished()).is_running, true);
  await fetch.work;
});

test('a server from before such lists, which answers with everything, is not believed', async (t) => {
  const old = imageOf('01', 'https://a.example/1.jpg');
  delete old.http_status;
  const dataset = await startDataset(t, [old]);
  const { fetch } = makeFetch(dataset.server);
  const offer = await fetch.offer('01D');
  assert.deepEqual([offer.total, offer.hosts], [0, []]);
  const run = await runToEnd(fetch, ['a.example']);
  assert.deepEqual([run.total, run.refused, run.error], [0, [], null]);
});

test('the offer names hosts with their permissions, the largest first, and why', async (t) => {
  const images = [
    imageOf('01', 'https://a.example/1.jpg'),
    imageOf('02', 'https://b.example:8443/2.jpg', { http_status: 401 }),
    imageOf('03', 'http://b.example/3.jpg'),
    imageOf('04', 'https://c.example/4.jpg', { reason: 'not-an-image', http_status: 200 }),
  ];
  const { server } = await startServer(t, (_request, response) =>
    sendJson(response, 200, { items: images, total: 700 }),
  );
  const isPermitted = async ([origin]) => origin.includes('a.example');
  const { fetch, area } = makeFetch(server, { isPermitted });
  const offer = await fetch.offer('01D');
  assert.deepEqual([offer.total, offer.statuses, offer.run], [700, [403, 401, null], null]);
  assert.deepEqual(offer.hosts, [
    {
      host: 'b.example',
      origins: ['https://b.example/*', 'http://b.example/*'],
      is_permitted: false,
      count: 2,
    },
    { host: 'a.example', origins: ['https://a.example/*'], is_permitted: true, count: 1 },
    { host: 'c.example', origins: ['https://c.example/*'], is_permitted: false, count: 1 },
  ]);
  await area.set({ browser_fetch: { dataset_id: 'other' } });
  assert.equal((await fetch.offer('01D')).run, null);
  await area.set({ browser_fetch: { dataset_id: '01D' } });
  assert.deepEqual((await fetch.offer('01D')).run, { dataset_id: '01D' });
});
