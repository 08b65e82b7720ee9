import { window } from './support/dom.js';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import {
  apiUrl,
  Problem,
  request,
  requestHead,
  SIGNED_OUT,
} from '../../server/web/assets/lib/api.js';
import { postFile } from '../../server/web/assets/lib/upload.js';

const PROBLEM = {
  type: '/problems/label-conflict',
  title: 'The same image has two labels',
  status: 409,
  detail: 'One photo is both a bear and a cat.',
  image_ids: ['A', 'B'],
};

/** What each path of the test's server answers. */
const ANSWERS = {
  '/json': [200, 'application/json', '{"id":"A"}'],
  '/nothing': [204, 'application/json', ''],
  '/problem': [409, 'application/problem+json', JSON.stringify(PROBLEM)],
  '/unknown': [
    401,
    'application/problem+json',
    '{"type":"/problems/unauthenticated","detail":"Who?"}',
  ],
  '/proxy': [502, 'text/html', '<h1>Bad gateway</h1>'],
  '/list': [500, 'application/json', '[]'],
};

let base = '';
const server = createServer((incoming, reply) => {
  const answer = ANSWERS[incoming.url];
  if (!answer) return; // Never answers: for the test of stopping.
  reply.writeHead(answer[0], { 'Content-Type': answer[1] });
  reply.end(answer[2]);
});

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test('an answer is its JSON, an empty one undefined', async () => {
  assert.deepEqual(await request('GET', `${base}/json`), { id: 'A' });
  assert.equal(await request('DELETE', `${base}/nothing`), undefined);
});

test('a refusal keeps what the server said, extra members too', async () => {
  await assert.rejects(request('POST', `${base}/problem`, { json: {} }), (error) => {
    assert.ok(error instanceof Problem);
    assert.equal(error.slug, 'label-conflict');
    assert.equal(error.status, 409);
    assert.equal(error.message, PROBLEM.detail);
    assert.deepEqual(error.members.image_ids, ['A', 'B']);
    return true;
  });
});

test('a refusal that is not problem+json is one all the same', async () => {
  for (const [path, status] of [
    ['/proxy', 502],
    ['/list', 500],
  ]) {
    await assert.rejects(request('GET', base + path), (error) => {
      assert.equal(error.slug, 'unknown');
      assert.equal(error.status, status);
      assert.match(error.detail, new RegExp(String(status)));
      return true;
    });
  }
});

test('a lost sign-in is announced, but not by the sign-in itself', async () => {
  let count = 0;
  window.document.addEventListener(SIGNED_OUT, () => (count += 1));
  await assert.rejects(request('GET', `${base}/unknown`));
  assert.equal(count, 1);
  await assert.rejects(request('POST', `${base}/unknown`, { isSignIn: true }));
  assert.equal(count, 1);
});

test('a server that is not there is a problem of its own', async () => {
  await assert.rejects(request('GET', 'http://127.0.0.1:1/'), (error) => {
    assert.equal(error.slug, 'unreachable');
    assert.equal(error.status, 0);
    return true;
  });
});

test('a request stops when it is told to', async () => {
  const stop = new AbortController();
  const asked = request('GET', `${base}/never`, { signal: stop.signal });
  stop.abort();
  await assert.rejects(asked, { name: 'AbortError' });
});

test('an address leaves out what is not asked for', () => {
  assert.equal(apiUrl('/datasets'), '/api/v1/datasets');
  const query = { label: 'a b', excluded: false, status: null, cursor: undefined, limit: 0 };
  assert.equal(apiUrl('/x', query), '/api/v1/x?label=a+b&excluded=false&limit=0');
});

test('a lost sign-in is announced whoever asked: also for a head, and for a file', async () => {
  let announced = 0;
  const count = () => (announced += 1);
  window.document.addEventListener(SIGNED_OUT, count);
  const isUnknown = { slug: 'unauthenticated', status: 401 };
  await assert.rejects(requestHead(`${base}/unknown`), { status: 401 });
  assert.equal(announced, 1);
  // Node has none: as much of it as sends a file.
  globalThis.XMLHttpRequest = class {
    upload = {};
    open(method, url) {
      this.url = url;
    }
    setRequestHeader() {}
    async send() {
      const answer = await fetch(this.url);
      Object.assign(this, { status: answer.status, responseText: await answer.text() });
      this.onload();
      this.onloadend();
    }
  };
  const { signal } = new AbortController();
  await assert.rejects(
    postFile(`${base}/unknown`, new Blob(), { onSent: count, signal }),
    isUnknown,
  );
  assert.equal(announced, 2);
  window.document.removeEventListener(SIGNED_OUT, count);
});
