/** Asks a server what a dataset has of the addresses that a page shows. */

/** @typedef {import('../lib/page-messages.js').HeldAt} HeldAt */
/** @typedef {HeldAt & {id: string}} HeldImage An image as the server sends it. */
/** @typedef {{known: number[], images: HeldImage[]}} Known Its indexes are those of the addresses. */

/** The server takes this many addresses in one question … */
export const MAX_QUESTION_URLS = 500;
/** … and 4 MiB: addresses of 8 kB each, as hostile pages make them, are more. */
const MAX_QUESTION_BYTES = 3 * 1024 ** 2;

/**
 * Ask which addresses a dataset has, in as many questions as it takes.
 *
 * @param {Pick<import('./session.js').Session, 'call'>} session The paired servers.
 * @param {{server: string, dataset_id: string}} place Where the dataset is, and which.
 * @param {string[]} urls The addresses.
 * @returns {Promise<Known>} Those that it has; no images from a server older than the marks in pages.
 * @throws {import('../lib/errors.js').BowerbirdError} As `Session.call`.
 */
export async function askKnown(session, { server, dataset_id }, urls) {
  const path = `/datasets/${encodeURIComponent(dataset_id)}/known`;
  /** @type {Known} */
  const all = { known: [], images: [] };
  let start = 0;
  for (const part of splitUrls(urls)) {
    const offset = start;
    start += part.length;
    /** @type {{known: number[], images?: HeldImage[]}} */
    const reply = await session.call({ method: 'POST', path, json: { urls: part } }, server);
    all.known.push(...reply.known.map((index) => index + offset));
    for (const image of reply.images ?? []) {
      all.images.push({ ...image, index: image.index + offset });
    }
  }
  return all;
}

/**
 * Split what no single question may hold.
 *
 * @param {string[]} urls Addresses.
 * @returns {string[][]} The same in the same order; none for none.
 */
function splitUrls(urls) {
  const encoder = new TextEncoder();
  /** @type {string[][]} */
  const parts = [];
  let partBytes = Infinity;
  for (const url of urls) {
    const bytes = encoder.encode(JSON.stringify(url)).length + 1;
    const last = parts.at(-1);
    if (
      last === undefined ||
      last.length === MAX_QUESTION_URLS ||
      partBytes + bytes > MAX_QUESTION_BYTES
    ) {
      parts.push([url]);
      partBytes = bytes;
    } else {
      last.push(url);
      partBytes += bytes;
    }
  }
  return parts;
}
