/** What this browser may be made to fetch by an address that a stranger wrote, and as coming from where. */

/**
 * Hosts that only this machine or its network knows, as the browser writes them after parsing (it
 * turns `0x7f.1` and `2130706433` into `127.0.0.1`): loopback, private and link-local networks of
 * RFC 1918, 3927 and 6598, all literals of IPv6 (no site of note links images by them), names that
 * RFC 6761, 6762 and 8375 keep for such networks, and names without a dot.
 */
const PRIVATE_HOST =
  /^(?:(?:0|10|127|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.[\d.]+|\[.*|[^.]+|.*\.(?:localhost|local|internal|lan|home|home\.arpa))$/;

/**
 * Read the address of an image.
 *
 * @param {string} address As a page gave it.
 * @returns {URL | null} Its parts; null when it is no http(s) address, or holds a user name.
 */
export function parseImageAddress(address) {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  return isWeb && url.username === '' && url.password === '' ? url : null;
}

/**
 * Tell whether a host is one of this machine or its network.
 *
 * @param {URL} url A parsed address. What a name of the open net resolves to can't be seen from here.
 * @returns {boolean} True for `127.0.0.1`, `192.168.1.1`, `router`, `nas.local`.
 */
export function isPrivateHost({ hostname }) {
  return PRIVATE_HOST.test(hostname.replace(/\.$/, ''));
}

/**
 * Say where a request for an image comes from, just as the browser would from the page that shows it
 * (the default policy `strict-origin-when-cross-origin`): of a page on another site its origin alone.
 *
 * @param {URL} image The image's address.
 * @param {string | null} page Address of the page that shows it; null when nobody knows.
 * @returns {string | null} The Referer; null for none.
 */
export function refererFor(image, page) {
  const from = parseImageAddress(page ?? '');
  // Without a page it is as if the image were opened from its own site.
  if (from === null) return `${image.origin}/`;
  if (from.protocol === 'https:' && image.protocol === 'http:') return null;
  from.hash = '';
  return from.origin === image.origin ? from.href : `${from.origin}/`;
}
