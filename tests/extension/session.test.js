import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Session } from '../../extension/background/session.js';
import { MAX_SERVERS, SettingsStore } from '../../extension/background/settings.js';
import { closedServer, sendProblem, startServer } from './support/server.js';
import { MemoryArea } from './support/storage.js';

const PAIRING = { token: 't0k', token_id: '01T', name: 'this browser', server_version: '0.1.0' };

/** Make a session with what is stored already. */
function makeSession(stored) {
  const settings = new SettingsStore(new MemoryArea(stored));
  return { settings, session: new Session(settings, 'client/1 (test)') };
}

test('pairing stores the token, and calls carry it', async (t) => {
  const { server, requests } = await startServer(t, ({ path }) =>
    path === '/api/v1/pairings/redeem' ? PAIRING : {},
  );
  const { settings, session } = makeSession({ is_pairing_lost: true });
  await session.pair(server, 'K7QF2M');
  assert.deepEqual(JSON.parse(requests[0].body), { code: 'K7QF2M', client: 'client/1 (test)' });
  const stored = await settings.read();
  assert.deepEqual(
    [stored.server, stored.pairing, stored.is_pairing_lost],
    [server, PAIRING, false],
  );
  await session.call({ path: '/datasets' });
  assert.equal(requests[1].headers.authorization, 'Bearer t0k');
});

test('pairing with another server adds it, and the former keeps what belongs to it', async (t) => {
  const { server } = await startServer(t, () => ({ ...PAIRING, token: 'second' }));
  const former = 'http://127.0.0.1:1';
  const { settings, session } = makeSession({
    server: former,
    pairing: PAIRING,
    dataset_id: '01D',
    datasets: [{ id: '01D' }],
    query_labels: { bear: 'grizzly' },
  });
  await session.pair(server, 'K7QF2M');
  const now = await settings.read();
  assert.deepEqual([now.dataset_id, now.datasets], [null, []]);
  assert.deepEqual([now.server, now.query_labels], [server, { bear: 'grizzly' }]);
  await settings.chooseServer(former);
  const then = await settings.read();
  assert.deepEqual([then.pairing, then.dataset_id], [PAIRING, '01D']);
});

test('a call goes to the server that is named, with that one’s token', async (t) => {
  const asked = await startServer(t, () => ({}));
  const active = await startServer(t, () => ({}));
  const { settings, session } = makeSession({ server: asked.server, pairing: PAIRING });
  await settings.addServer(active.server, { ...PAIRING, token: 'second' });
  await session.call({ path: '/datasets' }, asked.server);
  assert.deepEqual(
    asked.requests.map(({ headers }) => headers.authorization),
    ['Bearer t0k'],
  );
  assert.deepEqual(active.requests, []);
  await session.call({ path: '/datasets' });
  assert.equal(active.requests[0].headers.authorization, 'Bearer second');
  const unknown = 'http://127.0.0.1:1';
  await assert.rejects(session.call({ path: '/' }, unknown), { kind: 'not-paired' });
});

test('a refused token ends that server’s pairing and no other', async (t) => {
  const { server } = await startServer(t, (_request, response) =>
    sendProblem(response, 401, 'token-invalid'),
  );
  const { settings, session } = makeSession({ server, pairing: PAIRING });
  await settings.addServer('http://127.0.0.1:1', PAIRING);
  await assert.rejects(session.call({ path: '/datasets' }, server), { kind: 'not-paired' });
  const { servers } = await settings.read();
  assert.deepEqual(
    servers.map(({ pairing, is_pairing_lost }) => [pairing, is_pairing_lost]),
    [
      [null, true],
      [PAIRING, false],
    ],
  );
});

test('with as many servers as are kept, no code is spent on another one', async (t) => {
  const { server, requests } = await startServer(t, () => PAIRING);
  const { settings, session } = makeSession();
  for (let index = 0; index < MAX_SERVERS; index += 1) {
    await settings.addServer(`http://127.0.0.1:${9000 + index}`, PAIRING);
  }
  await assert.rejects(session.pair(server, 'K7QF2M'), { kind: 'too-many-servers' });
  assert.deepEqual(requests, []);
});

test('a wrong code leaves everything as it was', async (t) => {
  const { server } = await startServer(t, (_request, response) =>
    sendProblem(response, 403, 'pairing-code-wrong', { attempts_left: 2 }),
  );
  const { settings, session } = makeSession();
  const before = await settings.read();
  await assert.rejects(session.pair(server, 'AAAAAA'), { kind: 'problem' });
  assert.deepEqual(await settings.read(), before);
});

test('without a token nothing is sent', async (t) => {
  const { server, requests } = await startServer(t, () => ({}));
  const { session } = makeSession({ server });
  await assert.rejects(session.call({ path: '/datasets' }), { kind: 'not-paired', message: /yet/ });
  assert.deepEqual(requests, []);
});

test('a token that the server refuses is forgotten, and the loss remembered', async (t) => {
  const { server } = await startServer(t, (_request, response) =>
    sendProblem(response, 401, 'token-invalid'),
  );
  const { settings, session } = makeSession({ server, pairing: PAIRING });
  const expected = { kind: 'not-paired', message: /any more/ };
  await assert.rejects(session.call({ path: '/datasets' }), expected);
  const { pairing, is_pairing_lost } = await settings.read();
  assert.deepEqual([pairing, is_pairing_lost], [null, true]);
  await assert.rejects(session.call({ path: '/datasets' }), expected);
});

test('a late 401 does not end a newer pairing', async (t) => {
  const newer = { ...PAIRING, token: 'newer' };
  const { server } = await startServer(t, (_request, response) => {
    void settings
      .update({ pairing: newer })
      .then(() => sendProblem(response, 401, 'token-invalid'));
  });
  const { settings, session } = makeSession({ server, pairing: PAIRING });
  await assert.rejects(session.call({ path: '/datasets' }), { kind: 'not-paired' });
  assert.deepEqual((await settings.read()).pairing, newer);
});

test('lists are read to their end', async (t) => {
  const { server, requests } = await startServer(t, ({ path }) =>
    path.includes('cursor=c2')
      ? { items: [3], next_cursor: null }
      : { items: [1, 2], next_cursor: 'c2' },
  );
  const { session } = makeSession({ server, pairing: PAIRING });
  assert.deepEqual(await session.list('/models', { stage: 'live' }), [1, 2, 3]);
  assert.deepEqual(
    requests.map(({ path }) => path),
    ['/api/v1/models?stage=live&limit=500', '/api/v1/models?stage=live&limit=500&cursor=c2'],
  );
});

// what the server says of its interface, what that means
for (const [api_version, expected] of [
  [1, 'same'],
  [2, 'newer'],
  [0, 'older'],
  [undefined, 'older'],
]) {
  test(`a server of interface ${api_version} is ${expected}`, async (t) => {
    const { server, requests } = await startServer(t, () => ({ name: 'bowerbird', api_version }));
    const { session } = makeSession({ server, pairing: PAIRING });
    assert.equal(await session.compareVersions(), expected);
    assert.equal(requests[0].path, '/api/v1/server');
  });
}

test('unpairing tells the server, and works without it', async (t) => {
  const { server, requests } = await startServer(t, () => ({}));
  const first = makeSession({ server, pairing: PAIRING });
  await first.session.unpair();
  assert.deepEqual([requests[0].method, requests[0].path], ['DELETE', '/api/v1/tokens/01T']);
  const second = makeSession({ server: await closedServer(), pairing: PAIRING });
  await second.session.unpair();
  for (const { settings } of [first, second]) {
    const { pairing, is_pairing_lost } = await settings.read();
    assert.deepEqual([pairing, is_pairing_lost], [null, false]);
  }
});
