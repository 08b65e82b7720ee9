/** What the background tells scripts in pages, over a real HTTP server, and what it refuses them. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OverlayHost } from '../../extension/background/overlay.js';
import { Session } from '../../extension/background/session.js';
import { SettingsStore } from '../../extension/background/settings.js';
import { closedServer, sendProblem, startServer } from './support/server.js';
import { MemoryArea } from './support/storage.js';

const PAIRING = { token: 't0k', token_id: '01T', name: 'this browser', server_version: '0.1.0' };
const GOOGLE = 'https://www.google.de/search?q=bears&udm=2';
const IMAGE = { index: 1, id: '01I', label: 'grizzly', status: 'ready', excluded: false };
const URLS = ['https://a.example/0.jpg', 'https://a.example/1.jpg'];

/** Make the background's side; `tabs` has the address of each tab, `orders` what they were told. */
function makeHost(server, stored = {}, tabs = { 7: GOOGLE }) {
  const known = { url: server, pairing: PAIRING, dataset_id: '01D', datasets: [], last_labels: {} };
  const { known: changes, ...shared } = { known: {}, ...stored };
  const area = new MemoryArea({
    revision: 2,
    server,
    servers: [{ is_pairing_lost: false, ...known, ...changes }],
    ...shared,
  });
  const settings = new SettingsStore(area);
  const orders = [];
  const entered = [];
  const host = new OverlayHost({
    settings,
    session: new Session(settings, 'client/1 (test)'),
    tabs: {
      get: async (id) => ({ id, url: tabs[id] }),
      query: async () => Object.keys(tabs).map((id) => ({ id: Number(id) })),
      sendMessage: async (id, { overlay }) => {
        orders.push([id, overlay]);
        if (tabs[id] === undefined) throw new Error('Could not establish connection.');
        return { is_shown: overlay !== 'hide' };
      },
    },
    enter: async (id) => void entered.push(id),
    isPermitted: async (origin) => !origin.includes('google.fr'),
  });
  const ask = (type, request, url = GOOGLE) =>
    host.answer({ type, request }, { tab: { id: 7 }, url });
  return { host, ask, settings, orders, entered };
}

test('a page learns label, status and exclusion of its addresses, and no id', async (t) => {
  const { server, requests } = await startServer(t, () => ({ known: [1], images: [IMAGE] }));
  const { ask } = makeHost(server);
  const { ok, reply } = await ask('find-held', { urls: URLS });
  const { index, label, status, excluded } = IMAGE;
  assert.deepEqual([ok, reply], [true, [{ index, label, status, excluded }]]);
  assert.equal(requests[0].path, '/api/v1/datasets/01D/known');
  assert.deepEqual(JSON.parse(requests[0].body), { urls: URLS });
});

test('of addresses too long for one question each keeps its own place', async (t) => {
  const { server, requests } = await startServer(t, ({ body }) => {
    const last = JSON.parse(body).urls.length - 1;
    return { known: [last], images: [{ ...IMAGE, index: last }] };
  });
  const { ask } = makeHost(server);
  const urls = Array.from({ length: 500 }, (_, index) => {
    return `https://a.example/${'ä'.repeat(4000)}${index}`;
  });
  const { reply } = await ask('find-held', { urls });
  assert.equal(requests.length, 2);
  assert.equal(reply.at(-1).index, 499);
});

test('a page gets an answer whatever fails', async () => {
  const { ask, settings } = makeHost('http://127.0.0.1:1');
  settings.area.get = async () => {
    throw new Error('IO error: no space left on device');
  };
  assert.deepEqual(await ask('find-held', { urls: URLS }), { ok: false });
});

test('an image is excluded by its address, in the chosen dataset alone', async (t) => {
  const { server, requests } = await startServer(t, ({ method, body }) => {
    if (method === 'PATCH') return { ...IMAGE, ...JSON.parse(body), detail: 'of the server' };
    return JSON.parse(body).urls[0] === URLS[1] ? { known: [0], images: [IMAGE] } : { known: [] };
  });
  const { ask } = makeHost(server);
  const { reply } = await ask('exclude-image', { url: URLS[1], is_excluded: true });
  assert.deepEqual(reply, { label: 'grizzly', status: 'ready', excluded: true });
  assert.deepEqual([requests[1].method, requests[1].path], ['PATCH', '/api/v1/images/01I']);
  assert.deepEqual(JSON.parse(requests[1].body), { excluded: true });
  const other = await ask('exclude-image', { url: URLS[0], is_excluded: true });
  assert.deepEqual([other, requests.length], [{ ok: true, reply: null }, 3]);
});

test('whatever our script would not send is refused unasked', async (t) => {
  const { server, requests } = await startServer(t, () => ({ known: [], images: [] }));
  const { host, ask } = makeHost(server);
  const bad = [
    ['find-held', null],
    ['find-held', { urls: 'https://a.example/' }],
    ['find-held', { urls: Array(501).fill(URLS[0]) }],
    ['find-held', { urls: [1] }],
    ['find-held', { urls: ['x'.repeat(8193)] }],
    ['exclude-image', { url: URLS[0] }],
    ['exclude-image', { url: 5, is_excluded: true }],
    ['exclude-image', { image_id: '01I', is_excluded: true }],
    // Of our own pages, or of nobody.
    ['read-state', null],
    ['pair', { server: 'http://evil.example', code: 'x' }],
    ['__proto__', null],
    [undefined, null],
  ];
  for (const [type, request] of bad) {
    assert.deepEqual(await ask(type, request), { ok: false }, JSON.stringify([type, request]));
  }
  for (const message of [null, 'find-held', []]) {
    assert.deepEqual(await host.answer(message, { tab: { id: 8 } }), { ok: false });
  }
  const noTab = await host.answer({ type: 'find-held', request: { urls: URLS } }, { url: GOOGLE });
  assert.deepEqual([noTab, requests], [{ ok: false }, []]);
});

test('a refusal says nothing of the server', async (t) => {
  const { server } = await startServer(t, (_request, response) =>
    sendProblem(response, 404, 'dataset-not-found'),
  );
  for (const where of [server, await closedServer()]) {
    assert.deepEqual(await makeHost(where).ask('find-held', { urls: URLS }), { ok: false });
  }
});

test('a tab that asks without end is answered at a walking pace, and the others as before', async (t) => {
  const { server, requests } = await startServer(t, () => ({ known: [], images: [] }));
  const { host, ask } = makeHost(server);
  t.mock.timers.enable({ apis: ['Date'] });
  for (let turn = 0; turn < 100; turn += 1) await ask('find-held', { urls: URLS });
  assert.equal(requests.length, 30);
  t.mock.timers.tick(1000);
  for (let turn = 0; turn < 100; turn += 1) await ask('find-held', { urls: URLS });
  assert.equal(requests.length, 33);
  const message = { type: 'find-held', request: { urls: URLS } };
  assert.equal((await host.answer(message, { tab: { id: 8 }, url: GOOGLE })).ok, true);
});

test('search pages are marked unasked once there is a dataset; what is switched off is not', async () => {
  const read = async (stored, url) => {
    const { ask } = makeHost('http://127.0.0.1:8000', stored);
    return (await ask('read-overlay', null, url)).reply.is_on;
  };
  assert.equal(await read({}), true);
  assert.equal(await read({}, 'https://www.google.de.evil.example/'), false);
  assert.equal(await read({}, 'http://www.google.de/'), false);
  assert.equal(await read({}, 'https://elsewhere.example/'), false);
  assert.equal(await read({ sites_off: ['google'] }), false);
  assert.equal(await read({ sites_off: ['bing'] }), true);
  assert.equal(await read({ is_overlay_on: false }), false);
  assert.equal(await read({ known: { dataset_id: null } }), false);
  assert.equal(await read({ known: { pairing: null } }), false);
});

test('pages look again when what concerns them has changed, and only then', async () => {
  const { host, settings, orders } = makeHost(
    'http://127.0.0.1:8000',
    {},
    { 7: GOOGLE, 8: undefined },
  );
  await host.onSettings();
  await host.onSettings();
  await settings.update({ query_labels: { bears: 'bear' } });
  await host.onSettings();
  assert.deepEqual(orders, [[7, 'follow'], [8, 'follow']]); // prettier-ignore
  await settings.update({ dataset_id: '02D' });
  await host.onSettings();
  assert.equal(orders.length, 4);
});

test('the switch counts for search pages, or for the one page that is shown', async () => {
  const tabs = { 7: GOOGLE, 8: 'https://elsewhere.example/', 9: 'https://www.google.fr/' };
  const { host, settings, orders, entered } = makeHost('http://127.0.0.1:8000', {}, tabs);
  assert.deepEqual(await host.readSwitch(7), { is_on: true, scope: 'sites' });
  assert.deepEqual(await host.turn(7, false), { is_on: false, scope: 'sites' });
  assert.equal((await settings.read()).is_overlay_on, false);
  assert.deepEqual([orders[0], entered], [[7, 'hide'], []]);
  // A site that the browser does not let us read unasked is as any other page.
  for (const id of [8, 9]) {
    assert.deepEqual(await host.turn(id, true), { is_on: true, scope: 'page' });
    assert.deepEqual(entered.at(-1), id);
    assert.deepEqual(orders.slice(-2), [[id, 'show'], [id, 'tell']]); // prettier-ignore
  }
  assert.equal((await settings.read()).is_overlay_on, false);
});

test('the shortcut brings marks into a page that has none', async () => {
  const tabs = { 7: GOOGLE, 8: undefined };
  const { host, orders, entered } = makeHost('http://127.0.0.1:8000', {}, tabs);
  await host.focus(7);
  assert.deepEqual([orders, entered], [[[7, 'focus']], []]);
  await host.focus(8);
  assert.deepEqual([orders.length, entered], [3, [8]]);
});
