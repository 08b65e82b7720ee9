/** Several servers over real HTTP, and all that is stored: from message to reply. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBackground } from './support/background.js';
import { dropOptionalHosts } from '../../extension/background/permissions.js';
import { closedServer, startServer } from './support/server.js';

const SECOND = { token: 's3c0nd', token_id: '02T', name: 'second', server_version: '0.1.0' };
const REPLY = { capture_id: '01C', added: 1, known: 0, refused: [] };
const REQUEST = {
  dataset: { id: '01D', name: 'bears' },
  label: 'grizzly',
  origin: { engine: 'bing', query: 'grizzly', page_url: 'https://b.example/', page_title: 'B' },
  candidates: [{ url: 'https://a.example/1.jpg', rank: 0, title: 'A bear' }],
};

test('a capture that waited goes to its own server with that one’s token', async (t) => {
  let isUp = false;
  const first = await startServer(t, (_request, response) => {
    if (!isUp) return void response.destroy();
    return REPLY;
  });
  const second = await startServer(t, () => REPLY);
  const { settings, handlers } = makeBackground(first.server);
  assert.equal((await handlers.capture(REQUEST)).state, 'queued');
  await settings.addServer(second.server, SECOND);
  isUp = true;
  assert.deepEqual(await handlers['retry-queue'](null), []);
  const { path, headers } = first.requests.at(-1);
  assert.equal(path, '/api/v1/datasets/01D/captures');
  assert.equal(headers.authorization, 'Bearer t0k');
  assert.deepEqual(second.requests, []);
});

test('servers are listed with what waits for each, and the chosen one is asked', async (t) => {
  const down = await closedServer();
  const { server, requests } = await startServer(t, () => ({ items: [], next_cursor: null }));
  const { settings, handlers } = makeBackground(down);
  await handlers.capture(REQUEST);
  await settings.addServer(server, SECOND);
  assert.deepEqual(await handlers['list-servers'](null), [
    {
      url: down,
      is_active: false,
      paired_as: 'this browser',
      is_pairing_lost: false,
      waiting_count: 1,
    },
    { url: server, is_active: true, paired_as: 'second', is_pairing_lost: false, waiting_count: 0 },
  ]);
  assert.equal((await handlers['choose-server']({ server: down })).pairing.name, 'this browser');
  await assert.rejects(handlers['list-datasets'](null), { kind: 'server-down' });
  await handlers['choose-server']({ server });
  await handlers['list-datasets'](null);
  assert.equal(requests[0].headers.authorization, 'Bearer s3c0nd');
});

test('a server is unpaired by name, and forgotten; what waits for it stays until it is dropped', async (t) => {
  const down = await closedServer();
  const { server, requests } = await startServer(t, () => ({}));
  const { settings, handlers } = makeBackground(down);
  await handlers.capture(REQUEST);
  await settings.addServer(server, SECOND);
  await handlers['choose-server']({ server: down });
  await handlers.unpair({ server });
  assert.deepEqual([requests[0].method, requests[0].path], ['DELETE', '/api/v1/tokens/02T']);
  const state = await handlers['forget-server']({ server: down });
  assert.deepEqual([state.server, state.pairing], [server, null]);
  const [waiting] = await handlers['retry-queue'](null);
  assert.match(waiting.error, /not paired with/);
});

test('all that is stored is told without a token, and what waits with what it holds', async () => {
  const { handlers } = makeBackground(await closedServer());
  await handlers.capture(REQUEST);
  const everything = await handlers['export-data'](null);
  assert.ok(!JSON.stringify(everything).includes('t0k'));
  assert.equal(everything.settings.servers[0].pairing.name, 'this browser');
  assert.deepEqual(everything.settings.query_labels, { grizzly: 'grizzly' });
  const [{ capture_key }] = everything.waiting;
  const body = await handlers['read-capture']({ capture_key });
  assert.deepEqual(body.candidates, REQUEST.candidates);
  assert.equal(await handlers['read-capture']({ capture_key: 'gone' }), null);
});

/** Make the background with what erasing asks of the browser; `done` gets what it asked. */
function makeErasable(server) {
  const done = [];
  const made = makeBackground(
    server,
    {},
    {
      eraseStores: async () => void done.push('stores'),
      onSitesSwitched: async () => void done.push('sites'),
      dropPermissions: async () => void done.push('permissions'),
    },
  );
  return { ...made, done };
}

test('everything is erased, whichever servers can be reached', async (t) => {
  const { server, requests } = await startServer(t, () => ({}));
  const { settings, handlers, done } = makeErasable(await closedServer());
  await handlers.capture(REQUEST);
  await settings.addServer(server, SECOND);
  await handlers['switch-site']({ site: 'bing', is_on: false });
  await handlers['erase-data'](null);
  assert.deepEqual(
    requests.map(({ method, path }) => `${method} ${path}`),
    ['DELETE /api/v1/tokens/02T'],
  );
  assert.deepEqual(settings.area.items, {});
  assert.deepEqual(await handlers['list-queue'](null), []);
  assert.deepEqual(done, ['sites', 'stores', 'sites', 'permissions']);
});

test('what a newer extension stored can be erased, too', async () => {
  const { settings, handlers } = makeErasable('http://127.0.0.1:1');
  settings.area.items.revision = 9;
  await assert.rejects(handlers['read-state'](null), { kind: 'newer-settings' });
  await handlers['erase-data'](null);
  assert.deepEqual(settings.area.items, {});
});

test('preferences are kept, and said to have changed once they are', async () => {
  const { settings, handlers, done } = makeErasable('http://127.0.0.1:1');
  assert.deepEqual(await handlers['switch-site']({ site: 'bing', is_on: false }), ['bing']);
  assert.deepEqual(done, ['sites']);
  await handlers['set-theme']({ theme: 'dark' });
  await handlers['switch-overlay']({ is_on: false });
  await handlers['switch-opinions']({ is_on: true });
  const { theme, sites_off, ...switches } = await handlers['read-state'](null);
  assert.deepEqual([theme, sites_off], ['dark', ['bing']]);
  assert.deepEqual([switches.is_overlay_on, switches.is_model_asked], [false, true]);
  assert.equal((await settings.read()).theme, 'dark');
});

test('hosts that were allowed later are given back, those of the manifest never', async () => {
  const removed = [];
  const permissions = {
    getAll: async () => ({ origins: ['http://127.0.0.1/*', 'https://birds.example/*'] }),
    remove: async ({ origins }) => removed.push(...origins),
  };
  await dropOptionalHosts(permissions, ['http://127.0.0.1/*']);
  assert.deepEqual(removed, ['https://birds.example/*']);
  await dropOptionalHosts({ ...permissions, getAll: async () => ({}) }, []);
  assert.equal(removed.length, 1);
});
