/**
 * A folder of the person's disk as one tar, so that it goes to the server as any archive does. Its parts refer to the
 * files: nothing is read before it is sent, however large the folder.
 */

/** @typedef {{path: string, file: File}} PathFile */

const BLOCK_BYTES = 512;
/** What fits the name field of a header; a longer name, or one beyond ASCII, has a header of its own. */
const NAME_BYTES = 100;
/** Octal digits of the size field: 8 GiB. The server's cap of an import is lower. */
const SIZE_DIGITS = 11;
const ENCODER = new TextEncoder();

/**
 * @param {number} length Of what was written.
 * @returns {Uint8Array<ArrayBuffer>} Zeros up to the next block.
 */
const padding = (length) => new Uint8Array((BLOCK_BYTES - (length % BLOCK_BYTES)) % BLOCK_BYTES);

/**
 * A ustar header (POSIX.1-2017, pax, "ustar Interchange Format").
 * @param {Uint8Array} name At most {@link NAME_BYTES} of it are written.
 * @param {number} size_bytes Of what follows.
 * @param {string} kind `0` a file, `x` a pax header.
 * @returns {Uint8Array<ArrayBuffer>} One block.
 */
function header(name, size_bytes, kind) {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (/** @type {number} */ at, /** @type {string} */ text) =>
    block.set(ENCODER.encode(text), at);
  block.set(name.subarray(0, NAME_BYTES), 0);
  put(100, '0000644\0');
  put(108, '0000000\0');
  put(116, '0000000\0');
  put(124, `${size_bytes.toString(8).padStart(SIZE_DIGITS, '0')}\0`);
  put(136, '00000000000\0');
  put(148, ' '.repeat(8)); // The sum itself counts as spaces.
  put(156, kind);
  put(257, 'ustar\x0000');
  const sum = block.reduce((total, value) => total + value, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/**
 * A pax record has its own length, in decimal digits, at its beginning.
 * @param {string} text Such as `path=bears/…`.
 * @returns {Uint8Array<ArrayBuffer>} Such as `24 path=bears/…` and a line's end.
 */
function paxRecord(text) {
  const rest = ENCODER.encode(` ${text}\n`).length;
  let length = rest;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return ENCODER.encode(`${String(length)} ${text}\n`);
}

/**
 * @param {PathFile} entry A file and where it stands in the folder.
 * @returns {BlobPart[]} Its headers, itself, and what fills the last block.
 */
function entryParts({ path, file }) {
  const name = ENCODER.encode(path);
  const isPlain = name.length <= NAME_BYTES && name.length === path.length;
  /** @type {BlobPart[]} */
  const parts = [];
  if (!isPlain) {
    const record = paxRecord(`path=${path}`);
    parts.push(header(ENCODER.encode('pax'), record.length, 'x'), record, padding(record.length));
  }
  const shown = isPlain ? name : ENCODER.encode('named-above');
  parts.push(header(shown, file.size, '0'), file, padding(file.size));
  return parts;
}

/**
 * @param {PathFile[]} entries Files with their paths; `/` between folders.
 * @returns {Blob} The tar.
 */
export function tarOf(entries) {
  const end = new Uint8Array(2 * BLOCK_BYTES);
  return new Blob([...entries.flatMap(entryParts), end], { type: 'application/x-tar' });
}
