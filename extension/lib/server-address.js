/** Reads the server's address as a person types it. */
import { BowerbirdError } from './errors.js';
import { text } from './text.js';

export const DEFAULT_SERVER = 'http://127.0.0.1:8000';

/**
 * Check an address and reduce it to scheme, host and port.
 *
 * @param {string} typed For example `localhost:8000` or `http://127.0.0.1:8000/`.
 * @returns {string} An origin, for example `http://localhost:8000`.
 * @throws {BowerbirdError} `bad-address`, when it is none.
 */
export function parseServer(typed) {
  const address = typed.trim();
  const withScheme = /^[a-z]+:\/\//i.test(address) ? address : `http://${address}`;
  let url;
  try {
    url = new URL(withScheme);
  } catch {
    throw new BowerbirdError('bad-address', text('addressInvalid', address));
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.hostname === '') {
    throw new BowerbirdError('bad-address', text('addressShape', DEFAULT_SERVER));
  }
  return url.origin;
}

/**
 * Name a server in little room: of a loopback address the port says all.
 *
 * @param {string} server Its origin.
 * @returns {string} For example `:8720`, `birds.example`.
 */
export function nameServer(server) {
  const { hostname, host, port } = new URL(server);
  const isLoopback = hostname === '127.0.0.1' || hostname === 'localhost';
  return isLoopback && port !== '' ? `:${port}` : host;
}

/**
 * Name the permission that requests to a server need. Patterns cannot name a port.
 *
 * @param {string} address Absolute http(s) address.
 * @returns {string} A match pattern, for example `http://127.0.0.1/*`.
 */
export function permissionFor(address) {
  const { protocol, hostname } = new URL(address);
  return `${protocol}//${hostname}/*`;
}
