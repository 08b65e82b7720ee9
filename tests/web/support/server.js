/**
 * A played server: fetch answers as the test says, at once or when it is told to.
 */
import assert from 'node:assert/strict';

const realFetch = globalThis.fetch;

/**
 * Let fetch be answered by `answer(path, sent, query)`: the body, a Response, or a promise of either. A request that is
 * given up rejects, as a real one does.
 * @returns {[string, string, unknown][]} What was asked so far: method, path and JSON body.
 */
export function playServer(answer) {
  const asked = [];
  globalThis.fetch = async (url, { method, body, signal }) => {
    const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
    const path = pathname.replace('/api/v1', '');
    const sent = typeof body === 'string' ? JSON.parse(body) : null;
    asked.push([method, path, sent]);
    signal?.throwIfAborted();
    const ended = new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const given = await Promise.race([answer(path, sent, searchParams), ended]);
    return given instanceof Response ? given : Response.json(given);
  };
  return asked;
}

/** Let fetch be the real one again. */
export function endServer() {
  globalThis.fetch = realFetch;
}

/** An answer that comes when it is told to. */
export function later() {
  let give;
  const answer = new Promise((resolve) => (give = resolve));
  return { answer, give };
}

/** Wait until something holds: ten seconds at the least, however busy the machine. */
export async function until(holds) {
  for (let round = 0; round < 10_000 && !holds(); round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(holds(), `never held: ${holds}`);
}
