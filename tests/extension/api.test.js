import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerApi } from '../../extension/background/api.js';
import { BowerbirdError, ServerProblem } from '../../extension/lib/errors.js';
import { reviveError, serialiseError } from '../../extension/lib/errors.js';
import { closedServer, sendJson, sendProblem, startServer } from './support/server.js';

test('a call carries the token and JSON, and no cookies', async (t) => {
  const { server, requests } = await startServer(t, () => ({ id: '01' }));
  const api = new ServerApi(server, 'secret');
  assert.deepEqual(await api.call({ method: 'POST', path: '/datasets', json: { name: 'bears' } }), {
    id: '01',
  });
  const [{ method, path, headers, body }] = requests;
  assert.deepEqual([method, path, body], ['POST', '/api/v1/datasets', '{"name":"bears"}']);
  assert.equal(headers.authorization, 'Bearer secret');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers.cookie, undefined);
});

test('a call without a token sends none, and paths with // lie outside the API', async (t) => {
  const { server, requests } = await startServer(t, () => ({ status: 'ok', version: '1' }));
  await new ServerApi(server, null).call({ path: '//healthz' });
  assert.equal(requests[0].path, '/healthz');
  assert.equal(requests[0].headers.authorization, undefined);
});

test('a form is sent as multipart', async (t) => {
  const { server, requests } = await startServer(t, () => ({}));
  const form = new FormData();
  form.set('file', new Blob(['bytes']), 'image');
  await new ServerApi(server, 'x').call({ method: 'POST', path: '/classify', form });
  assert.match(requests[0].headers['content-type'], /^multipart\/form-data; boundary=/);
  assert.match(requests[0].body, /name="file"; filename="image"/);
});

test('204 has no body', async (t) => {
  const { server } = await startServer(t, (_request, response) => {
    response.writeHead(204, { 'X-Bowerbird': '1' }).end();
  });
  assert.equal(await new ServerApi(server, 'x').call({ method: 'DELETE', path: '/a' }), null);
});

test('a refusal brings the server’s own words', async (t) => {
  const { server } = await startServer(t, (_request, response) => {
    sendProblem(response, 403, 'pairing-code-wrong', { attempts_left: 3 });
  });
  await assert.rejects(new ServerApi(server, null).call({ path: '/x' }), (error) => {
    assert.ok(error instanceof ServerProblem);
    assert.deepEqual(
      [error.slug, error.status, error.message],
      ['pairing-code-wrong', 403, 'It is pairing-code-wrong.'],
    );
    assert.equal(error.problem.members.attempts_left, 3);
    return true;
  });
});

// name, how it answers, the error's kind and words
const TROUBLES = [
  [
    'another program on the port',
    (_request, response) => response.end('<h1>It works!</h1>'),
    { kind: 'another-program', message: /Another program answers at http:/ },
  ],
  [
    'another program’s error page',
    (_request, response) => response.writeHead(404).end('nope'),
    { kind: 'another-program' },
  ],
  [
    'an answer that breaks off',
    (_request, response) => response.destroy(),
    { kind: 'server-down', message: /make run/ },
  ],
  [
    'an answer that breaks off half-way',
    (_request, response) => {
      response.writeHead(200, { 'X-Bowerbird': '1', 'Content-Length': '100' });
      response.write('{"id":', () => response.destroy());
    },
    { kind: 'server-down', message: /broke off/ },
  ],
  [
    'a server that never answers',
    () => undefined,
    { kind: 'server-down', message: /takes too long/ },
  ],
  [
    'an error without a problem',
    (_request, response) => response.writeHead(502, { 'X-Bowerbird': '1' }).end('bad gateway'),
    { kind: 'problem', message: 'The server answered 502.' },
  ],
  [
    'a problem that is no JSON',
    (_request, response) =>
      response
        .writeHead(500, { 'X-Bowerbird': '1', 'Content-Type': 'application/problem+json' })
        .end('{'),
    { kind: 'problem', message: 'The server answered 500.' },
  ],
  [
    'a problem that is a list',
    (_request, response) => sendJson(response, 422, []),
    { kind: 'problem', message: 'The server answered 422.' },
  ],
];
for (const [name, answer, expected] of TROUBLES) {
  test(`trouble: ${name}`, async (t) => {
    const { server } = await startServer(t, (request, response) => {
      answer(request, response);
    });
    await assert.rejects(new ServerApi(server, 'x', 300).call({ path: '/x' }), expected);
  });
}

test('trouble: nothing listens', async () => {
  const api = new ServerApi(await closedServer(), 'x');
  await assert.rejects(api.call({ path: '/x' }), { kind: 'server-down', message: /make run/ });
});

test('errors survive the way between two contexts', () => {
  const problem = { slug: 'no-model', status: 409, detail: 'None yet.', members: { a: 1 } };
  const cases = [
    new BowerbirdError('server-down', 'No server.'),
    new ServerProblem(problem),
    new TypeError('A bug.'),
  ];
  const revived = cases.map((error) => reviveError(structuredClone(serialiseError(error))));
  assert.deepEqual(
    revived.map(({ kind, message }) => [kind, message]),
    [
      ['server-down', 'No server.'],
      ['problem', 'None yet.'],
      ['unexpected', 'A bug.'],
    ],
  );
  assert.ok(revived[1] instanceof ServerProblem);
  assert.deepEqual(revived[1].problem, problem);
});
