/** One image, fetched in the person's session: what is taken, and what is refused with its reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestRules } from '../../extension/background/request-rules.js';
import { NotObtained, SessionImages } from '../../extension/background/session-image.js';
import { MAX_IMAGE_BYTES } from '../../extension/background/read-capped.js';
import { MemoryRules } from './support/rules.js';
import { closedServer, startServer } from './support/server.js';

const HERE = { page: null, mayBePrivate: true };
const OUR_SERVER = 'http://127.0.0.1:8000';
const OTHER_SERVER = 'http://localhost:9000';

/** A site that answers each path as the test says, and the images that are fetched from it. */
async function startSite(t, answers, timeoutMs = 5000) {
  const site = await startServer(t, ({ path }, response) => void answers[path](response));
  const browser = new MemoryRules();
  const rules = new RequestRules(browser, 'own');
  const images = new SessionImages(rules, async () => [OUR_SERVER, OTHER_SERVER], timeoutMs);
  return { ...site, images, browser };
}

const refusal =
  (reason, status = null) =>
  (error) => {
    assert.ok(error instanceof NotObtained, String(error));
    assert.deepEqual([error.reason, error.status], [reason, status]);
    return true;
  };

test('no cookie goes to a host on which a server of ours is, the active one or another', async (t) => {
  const { server, images } = await startSite(t, { '/1.png': (response) => response.end('bytes') });
  const fetched = t.mock.method(globalThis, 'fetch');
  const { port } = new URL(server);
  for (const host of ['127.0.0.1', 'localhost', '127.0.0.2']) {
    await images.fetch(`http://${host}:${port}/1.png`, HERE).catch(() => null);
  }
  const sent = fetched.mock.calls.map(({ arguments: [, { credentials }] }) => credentials);
  assert.deepEqual(sent, ['omit', 'omit', 'include']);
});

test('the bytes, their type, and where they came from in the end', async (t) => {
  const { server, images, requests, browser } = await startSite(t, {
    '/old.png': (response) => response.writeHead(302, { Location: '/new.png' }).end(),
    '/new.png': (response) => {
      response.writeHead(200, { 'Content-Type': 'image/png' }).end('bytes of an image');
    },
  });
  const { blob, final_url } = await images.fetch(`${server}/old.png#top`, HERE);
  assert.equal(await blob.text(), 'bytes of an image');
  assert.deepEqual([blob.type, final_url], ['image/png', `${server}/new.png`]);
  assert.deepEqual(
    requests.map(({ method }) => method),
    ['GET', 'GET'],
  );
  assert.match(requests[0].headers.accept, /^image\/avif,image\/webp/);
  assert.deepEqual(browser.rules, []);
  assert.ok(browser.history.length > 0);
});

test('a refusal of the site is told with its status', async (t) => {
  const { server, images, browser } = await startSite(t, {
    '/1.jpg': (response) => response.writeHead(403).end('x'.repeat(100_000)),
  });
  await assert.rejects(images.fetch(`${server}/1.jpg`, HERE), refusal('http-status', 403));
  assert.deepEqual(browser.rules, []);
});

test('of a body without end the cap is read and no more', async (t) => {
  let isClosed;
  const closed = new Promise((resolve) => (isClosed = resolve));
  const { server, images } = await startSite(t, {
    '/1.jpg': (response) => {
      const piece = Buffer.alloc(1024 * 1024);
      const send = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', send).on('close', isClosed);
      send();
    },
  });
  await assert.rejects(images.fetch(`${server}/1.jpg`, HERE), refusal('too-large'));
  await closed;
  assert.equal(MAX_IMAGE_BYTES, 20 * 1024 * 1024);
});

test('a site that sends its head and then nothing is given up', async (t) => {
  const answers = { '/1.jpg': (response) => response.writeHead(200).write('b') };
  const { server, images } = await startSite(t, answers, 50);
  await assert.rejects(images.fetch(`${server}/1.jpg`, HERE), refusal('timeout'));
});

test('a site that does not answer, or breaks off, is no connection', async (t) => {
  const { server, images } = await startSite(t, {
    '/1.jpg': (response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('half');
      setImmediate(() => response.destroy());
    },
  });
  await assert.rejects(images.fetch(`${server}/1.jpg`, HERE), refusal('connection'));
  await assert.rejects(images.fetch(`${await closedServer()}/1.jpg`, HERE), refusal('connection'));
});

for (const address of ['file:///etc/passwd', 'data:image/png,x', 'https://u:p@a.example/1.jpg']) {
  test(`${address} is not asked for at all`, async (t) => {
    const { images, browser } = await startSite(t, {});
    await assert.rejects(images.fetch(address, HERE), refusal('private-address'));
    assert.deepEqual(browser.history, []);
  });
}

test('an address of the person’s own network needs somebody’s word', async (t) => {
  const { server, images, requests } = await startSite(t, {});
  const stranger = { page: null, mayBePrivate: false };
  await assert.rejects(images.fetch(`${server}/1.jpg`, stranger), refusal('private-address'));
  assert.deepEqual(requests, []);
});

test('a redirect to another host of that network is refused, whoever gave the word', async (t) => {
  const router = await startServer(t, (_request, response) => void response.end('bytes'));
  const { server, images } = await startSite(t, {
    '/1.jpg': (response) => response.writeHead(302, { Location: `${router.server}/1` }).end(),
  });
  // In a browser its rules keep the request itself from being made.
  await assert.rejects(images.fetch(`${server}/1.jpg`, HERE), refusal('private-address'));
});
