/** What is remembered: by revision, by server, and with many changes at once. */
import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SERVERS, SettingsStore } from '../../extension/background/settings.js';
import { SEARCH_SITES } from '../../extension/lib/search-hosts.js';
import { MemoryArea } from './support/storage.js';

const PAIRING = { token: 't0k', token_id: '01T', name: 'this browser', server_version: '0.1.0' };
const HOME = 'http://127.0.0.1:8720';
const OFFICE = 'https://birds.example';
const BEARS = {
  id: '01KB3Q7Z5M8R1V0X2Y4W6T8S0A',
  name: 'bears',
  counts: {
    total: 87,
    excluded: 1,
    status: { queued: 2, downloading: 1, ready: 80, rejected: 3, duplicate: 1 },
    labels: { 'teddy bear': { total: 60, ready: 55 }, grizzly: { total: 27, ready: 25 } },
  },
  live_model_id: null,
};
/** As version 0.1.0 wrote it, key by key. */
const FIRST_REVISION = {
  revision: 1,
  server: HOME,
  pairing: PAIRING,
  is_pairing_lost: false,
  dataset_id: BEARS.id,
  last_labels: { [BEARS.id]: 'teddy bear' },
  query_labels: { 'grizzly bear': 'grizzly', teddy: 'teddy bear' },
  last_capture: {
    capture_id: '01KB3Q8AAAAAAAAAAAAAAAAAAA',
    added: 12,
    known: 3,
    refused: [{ index: 4, reason: 'bad-url', detail: 'no host' }],
    capture_key: '01KB3Q8BBBBBBBBBBBBBBBBBBB',
    dataset_id: BEARS.id,
    dataset_name: 'bears',
    label: 'grizzly',
  },
  filters: { min_side_px: 200, shape: 'landscape' },
  datasets: [BEARS],
  sites_off: ['pinterest'],
};

/** Make a store over what is stored; `kept` gets the captures that it hands on. */
function makeStore(stored) {
  const area = new MemoryArea(stored);
  const kept = [];
  return { area, kept, settings: new SettingsStore(area, async (part) => void kept.push(part)) };
}

/** The servers that both have a pairing of their own. */
async function makePaired() {
  const made = makeStore();
  await made.settings.addServer(HOME, PAIRING);
  await made.settings.addServer(OFFICE, { ...PAIRING, token: '0ff1ce' });
  return made;
}

test('with nothing stored the defaults hold, and reading stores nothing', async () => {
  const { area, settings } = makeStore();
  const { servers, server, pairing, theme, sites_off, ...switches } = await settings.read();
  assert.deepEqual([servers, server, pairing], [[], 'http://127.0.0.1:8000', null]);
  assert.deepEqual([theme, sites_off], ['auto', []]);
  assert.deepEqual([switches.is_overlay_on, switches.is_model_asked], [true, false]);
  assert.deepEqual(area.items, {});
});

test('the first revision is brought into the present shape, and nothing of it is lost', async () => {
  const { kept, settings } = makeStore(FIRST_REVISION);
  const { revision, last_capture, ...former } = FIRST_REVISION;
  const now = await settings.read();
  assert.equal(now.revision, revision + 1);
  for (const [key, value] of Object.entries(former)) assert.deepEqual(now[key], value, key);
  assert.deepEqual(
    now.servers.map(({ url, pairing }) => [url, pairing]),
    [[HOME, PAIRING]],
  );
  // Its undo is the queue's from now on.
  const { capture_key: group_key } = last_capture;
  assert.deepEqual(kept, [{ ...last_capture, server: HOME, group_key }]);
});

test('a migration is one write, done once, and leaves no token where it lay', async () => {
  const { area, kept, settings } = makeStore(FIRST_REVISION);
  let writeCount = 0;
  const { set } = area;
  area.set = (items) => {
    writeCount += 1;
    return set.call(area, items);
  };
  await Promise.all([settings.read(), settings.read(), new SettingsStore(area).read()]);
  const first = await settings.read();
  assert.deepEqual(await new SettingsStore(area).read(), first);
  assert.ok(writeCount <= 2, 'once in each of the two stores that found the first revision');
  assert.equal(kept.length, 1);
  assert.equal(area.items.pairing, null);
  assert.equal(JSON.stringify(area.items).split('t0k').length, 2);
  await settings.update({ pairing: null });
  assert.ok(!JSON.stringify(area.items).includes('t0k'));
});

test('a migration that could not be written is made again', async () => {
  const { area, settings } = makeStore(FIRST_REVISION);
  const { set } = area;
  area.set = async () => Promise.reject(new Error('The disk is full.'));
  await assert.rejects(settings.read(), /disk is full/);
  assert.deepEqual(area.items, FIRST_REVISION);
  area.set = set;
  assert.deepEqual((await settings.read()).pairing, PAIRING);
});

// name, what is stored of the first revision, what of it must hold afterwards
const DAMAGED = [
  ['fields of other types', { server: 7, pairing: 'x', filters: [], sites_off: 'all' }, {}],
  ['a server that is none', { server: 'javascript:alert(1)', pairing: PAIRING }, {}],
  ['a pairing without a token', { server: HOME, pairing: { name: 'x' } }, { server: HOME }],
  ['labels that are no texts', { last_labels: { a: 'b', c: 7 } }, { last_labels: { a: 'b' } }],
  ['a list with holes', { datasets: [null, 7, BEARS] }, { datasets: [BEARS] }],
  ['a capture without an id', { last_capture: { added: 1 } }, {}],
  ['a revision that is no number', { ...FIRST_REVISION, revision: 'one' }, { pairing: PAIRING }],
];
for (const [name, stored, expected] of DAMAGED) {
  test(`of damaged storage the rest holds: ${name}`, async () => {
    const { settings } = makeStore({ revision: 1, ...stored });
    const now = await settings.read();
    assert.deepEqual({ ...now, ...expected }, now);
    assert.match(now.server, /^https?:/);
    assert.ok(now.pairing === null || now.pairing.token === 't0k');
    assert.ok(now.sites_off.every((each) => typeof each === 'string'));
    assert.equal(typeof now.filters.min_side_px, 'number');
    await settings.update({ theme: 'dark' });
    assert.equal((await settings.read()).theme, 'dark');
  });
}

test('of damaged storage of this revision the rest holds too', async () => {
  const servers = [null, { url: HOME, pairing: PAIRING }, { url: HOME }, { url: 'x' }, { url: 7 }];
  const { settings } = makeStore({ revision: 2, server: HOME, servers, theme: 'pink' });
  const { servers: kept, pairing, theme, last_labels } = await settings.read();
  assert.deepEqual([kept.length, pairing, theme, last_labels], [1, PAIRING, 'auto', {}]);
});

test('what a newer extension stored is left alone, and said', async () => {
  const stored = { revision: 3, servers: { home: PAIRING }, theme: 'sepia' };
  const { area, settings } = makeStore(stored);
  const expected = { kind: 'newer-settings', message: /newer version/ };
  await assert.rejects(settings.read(), expected);
  await assert.rejects(settings.update({ theme: 'dark' }), expected);
  await assert.rejects(settings.addServer(HOME, PAIRING), expected);
  assert.deepEqual(area.items, stored);
  await settings.erase();
  assert.deepEqual(area.items, {});
});

test('each server keeps its choices while another one is active', async () => {
  const { settings } = await makePaired();
  await settings.update({ datasets: [BEARS] });
  await settings.rememberChoice('01OFFICE', 'finch', 'birds');
  await settings.chooseServer(HOME);
  const home = await settings.read();
  assert.deepEqual([home.dataset_id, home.datasets, home.last_labels], [null, [], {}]);
  assert.equal(home.pairing.token, 't0k');
  assert.deepEqual(home.query_labels, { birds: 'finch' });
  await settings.chooseServer(OFFICE);
  const office = await settings.read();
  assert.deepEqual([office.dataset_id, office.last_labels], ['01OFFICE', { '01OFFICE': 'finch' }]);
  assert.deepEqual(office.datasets, [BEARS]);
});

test('what is late for a server goes to that one, and nowhere once it is forgotten', async () => {
  const { settings } = await makePaired();
  await settings.update({ datasets: [BEARS] }, HOME);
  await settings.rememberChoice('01HOME', 'bear', '', HOME);
  assert.deepEqual((await settings.read()).datasets, []);
  await settings.removeServer(HOME);
  await settings.update({ datasets: [BEARS] }, HOME);
  const { servers } = await settings.read();
  assert.deepEqual(
    servers.map(({ url, datasets }) => [url, datasets]),
    [[OFFICE, []]],
  );
});

test('pairing again replaces the token and keeps the choices', async () => {
  const { settings } = await makePaired();
  await settings.update({ pairing: null, is_pairing_lost: true, dataset_id: '01D' });
  await settings.addServer(OFFICE, PAIRING);
  const { servers, pairing, is_pairing_lost, dataset_id } = await settings.read();
  assert.deepEqual(
    [servers.length, pairing, is_pairing_lost, dataset_id],
    [2, PAIRING, false, '01D'],
  );
});

test('when the active server is forgotten, another one that is paired is active', async () => {
  const { settings } = await makePaired();
  await settings.addServer('http://localhost:8001', PAIRING);
  await settings.update({ pairing: null }, HOME);
  await settings.removeServer('http://localhost:8001');
  assert.equal((await settings.read()).server, OFFICE);
  await settings.removeServer(OFFICE);
  assert.equal((await settings.read()).server, HOME);
  await settings.removeServer(HOME);
  assert.deepEqual((await settings.read()).servers, []);
  await assert.rejects(settings.chooseServer(HOME), {
    kind: 'unexpected',
    message: /does not know/,
  });
});

test('one server more than the cap is refused, before its code is spent', async () => {
  const { settings } = makeStore();
  for (let index = 0; index < MAX_SERVERS; index += 1) {
    await settings.addServer(`http://127.0.0.1:${9000 + index}`, PAIRING);
  }
  const expected = { kind: 'too-many-servers', message: /20 servers/ };
  await assert.rejects(settings.checkRoom(HOME), expected);
  await assert.rejects(settings.addServer(HOME, PAIRING), expected);
  await settings.checkRoom('http://127.0.0.1:9000');
  await settings.addServer('http://127.0.0.1:9000', PAIRING);
  assert.equal((await settings.read()).servers.length, MAX_SERVERS);
});

test('changes at the same moment do not undo each other', async () => {
  const { settings } = await makePaired();
  const ids = SEARCH_SITES.map(({ id }) => id);
  await Promise.all([
    ...ids.map((id) => settings.switchSite(id, false)),
    settings.update({ datasets: [BEARS] }, HOME),
    settings.rememberChoice('01D', 'finch', 'birds', OFFICE),
    settings.rememberChoice('01E', 'bear', 'bears', HOME),
    settings.update({ theme: 'dark' }),
    settings.chooseServer(HOME),
    settings.addServer('http://localhost:8001', PAIRING),
  ]);
  const { sites_off, servers, query_labels, theme, server } = await settings.read();
  assert.deepEqual([...sites_off].sort(), [...ids].sort());
  assert.deepEqual(query_labels, { birds: 'finch', bears: 'bear' });
  assert.deepEqual([theme, server], ['dark', 'http://localhost:8001']);
  assert.deepEqual(
    servers.map(({ url, dataset_id, datasets }) => [url, dataset_id, datasets.length]),
    [
      [HOME, '01E', 1],
      [OFFICE, '01D', 0],
      ['http://localhost:8001', null, 0],
    ],
  );
  await Promise.all(ids.map((id) => settings.switchSite(id, true)));
  assert.deepEqual((await settings.read()).sites_off, []);
});

test('a change that fails holds up none of those after it', async () => {
  const { settings } = await makePaired();
  const failing = settings.chooseServer('http://127.0.0.1:1');
  const next = settings.update({ theme: 'light' });
  await assert.rejects(failing);
  await next;
  assert.equal((await settings.read()).theme, 'light');
});

test('choices are remembered, the newest 500', async () => {
  const { settings } = await makePaired();
  for (let index = 0; index < 503; index += 1) {
    await settings.rememberChoice('01D', `label ${index}`, `query ${index}`);
  }
  await settings.rememberChoice('01D', 'grizzly', '');
  const { dataset_id, last_labels, query_labels } = await settings.read();
  assert.deepEqual([dataset_id, last_labels], ['01D', { '01D': 'grizzly' }]);
  assert.equal(Object.keys(query_labels).length, 500);
  assert.deepEqual([query_labels['query 2'], query_labels['query 502']], [undefined, 'label 502']);
});

test('the servers are listed once each, the one to begin with before any is paired', async () => {
  const settings = new SettingsStore(new MemoryArea());
  const [first] = await settings.listOrigins();
  await settings.addServer(OFFICE, PAIRING);
  await settings.addServer(HOME, PAIRING);
  assert.deepEqual(await settings.listOrigins(), [HOME, OFFICE]);
  assert.ok(first?.startsWith('http://127.0.0.1'));
});
