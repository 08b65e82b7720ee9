/** What a person says of an answer, from message to request: with the picture where it can be had. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBackground } from './support/background.js';
import { sendProblem, startServer } from './support/server.js';

const VERDICT = {
  model_id: '01M',
  sha256: 'a'.repeat(64),
  is_right: false,
  predicted: 'teddy',
  label: 'grizzly',
};

/** A server that can't get addresses for the given reason, and a picture of its own for browsers. */
function startInbox(t, reason = null, status = 200) {
  return startServer(t, ({ path, body }, response) => {
    if (path.startsWith('/pic')) {
      response.writeHead(status, { 'Content-Type': 'image/jpeg' }).end('bytes of an image');
      return undefined;
    }
    if (reason !== null && /name="url"/.test(body)) {
      return void sendProblem(response, 422, 'image-not-usable', { reason });
    }
    return { id: '01F' };
  });
}

/** The fields of a form, a file as its bytes. */
function fieldsOf({ body }) {
  const parts = [...body.matchAll(/name="(\w+)"[^]*?\r\n\r\n([^]*?)\r\n--/g)];
  return Object.fromEntries(parts.map(([, name, value]) => [name, value]));
}

const SAID = { model_id: '01M', is_right: 'false', predicted: 'teddy', label: 'grizzly' };

test('a file goes along as its bytes', async (t) => {
  const { server, requests } = await startInbox(t);
  const { handlers } = makeBackground(server);
  const image = `data:image/png;base64,${btoa('bytes of a file')}`;
  await handlers['give-feedback']({ image, verdict: VERDICT });
  assert.deepEqual(
    requests.map(({ method, path }) => `${method} ${path}`),
    ['POST /api/v1/feedback'],
  );
  assert.deepEqual(fieldsOf(requests[0]), { ...SAID, file: 'bytes of a file' });
});

test('an address goes along as it is, and what was not said is left out', async (t) => {
  const { server, requests } = await startInbox(t);
  const { handlers } = makeBackground(server);
  const verdict = { ...VERDICT, predicted: null, label: null };
  await handlers['give-feedback']({ image: 'https://a.example/1.jpg', verdict });
  assert.deepEqual(fieldsOf(requests[0]), {
    model_id: '01M',
    is_right: 'false',
    url: 'https://a.example/1.jpg',
  });
});

test('what the server cannot get is fetched here', async (t) => {
  const { server, requests } = await startInbox(t, 'http-status');
  const { handlers } = makeBackground(server);
  await handlers['give-feedback']({ image: `${server}/pic.jpg`, verdict: VERDICT });
  assert.deepEqual(fieldsOf(requests.at(-1)), { ...SAID, file: 'bytes of an image' });
});

test('what nobody gets any more is counted by its hash', async (t) => {
  const { server, requests } = await startInbox(t, 'http-status', 404);
  const { handlers } = makeBackground(server);
  await handlers['give-feedback']({ image: `${server}/pic.jpg`, verdict: VERDICT });
  assert.deepEqual(fieldsOf(requests.at(-1)), { ...SAID, sha256: 'a'.repeat(64) });
});

test('a refusal for another reason is the person’s to read', async (t) => {
  const { server, requests } = await startInbox(t, 'opt-out');
  const { handlers } = makeBackground(server);
  const sent = handlers['give-feedback']({ image: 'https://a.example/1.jpg', verdict: VERDICT });
  await assert.rejects(sent, (error) => error.slug === 'image-not-usable');
  assert.equal(requests.length, 1);
});
