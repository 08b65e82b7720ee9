/** Makes ULIDs: 48 bits of time and 80 of chance in 26 characters that sort by time. */

/** Crockford's base 32. Source: https://github.com/ulid/spec */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_LENGTH = 10;
const RANDOM_LENGTH = 16;

/**
 * Make a new ULID.
 *
 * @param {number} nowMs Milliseconds since 1970.
 * @param {Uint8Array} random 16 bytes of chance; five bits of each are used.
 * @returns {string} 26 characters.
 */
export function ulid(
  nowMs = Date.now(),
  random = crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH)),
) {
  let time = '';
  let rest = nowMs;
  for (let index = 0; index < TIME_LENGTH; index += 1) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  return time + Array.from(random, (byte) => ALPHABET.charAt(byte % 32)).join('');
}

/** What the last two characters can count. */
const MAX_SERIES = ALPHABET.length ** 2;

/**
 * Make ULIDs that sort in their order, the same ones for the same first.
 *
 * @param {string} seed A ULID; the last two of its characters are not used.
 * @param {number} count How many, at most 1024.
 * @returns {string[]} The ULIDs.
 * @throws {RangeError} More are asked for.
 */
export function ulidSeries(seed, count) {
  if (count > MAX_SERIES) throw new RangeError(`at most ${MAX_SERIES} of one moment`);
  const size = ALPHABET.length;
  return Array.from(
    { length: count },
    (_, index) =>
      seed.slice(0, -2) + ALPHABET.charAt(Math.floor(index / size)) + ALPHABET.charAt(index % size),
  );
}
