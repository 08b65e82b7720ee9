/** A real HTTP server on loopback that answers as a test says. */
import { createServer } from 'node:http';

/**
 * Start a server for one test; it stops with the test.
 *
 * @param {import('node:test').TestContext} t The test.
 * @param {(request: {method: string, path: string, headers: object, body: string}, response:
 *   import('node:http').ServerResponse) => unknown} answer Answers; what it returns is sent as JSON
 *   with our identity header, unless it has answered by itself.
 * @returns {Promise<{server: string, requests: {method: string, path: string, headers: object, body: string}[]}>}
 *   Its origin, and all that it was asked.
 */
export async function startServer(t, answer) {
  const requests = [];
  const http = createServer((incoming, response) => {
    const pieces = [];
    incoming.on('data', (piece) => pieces.push(piece));
    incoming.on('end', () => {
      const { method, url: path, headers } = incoming;
      const request = { method, path, headers, body: Buffer.concat(pieces).toString('latin1') };
      requests.push(request);
      const reply = answer(request, response);
      if (response.writableEnded || response.destroyed || reply === undefined) return;
      sendJson(response, 200, reply);
    });
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  return { server: `http://127.0.0.1:${http.address().port}`, requests };
}

/**
 * Answer as our server does.
 *
 * @param {import('node:http').ServerResponse} response Where to.
 * @param {number} status HTTP status.
 * @param {unknown} body What to send.
 */
export function sendJson(response, status, body) {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'X-Bowerbird': '1', 'Content-Type': type });
  response.end(JSON.stringify(body));
}

/**
 * Refuse as our server does.
 *
 * @param {import('node:http').ServerResponse} response Where to.
 * @param {number} status HTTP status.
 * @param {string} slug Which problem.
 * @param {object} [members] Further members.
 */
export function sendProblem(response, status, slug, members = {}) {
  const type = `/problems/${slug}`;
  sendJson(response, status, { type, title: slug, status, detail: `It is ${slug}.`, ...members });
}

/** @returns {Promise<string>} An origin on which nothing listens. */
export async function closedServer() {
  const http = createServer();
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address();
  await new Promise((resolve) => http.close(resolve));
  return `http://127.0.0.1:${port}`;
}
