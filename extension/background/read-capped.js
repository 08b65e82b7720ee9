/** Reads bodies of strangers up to a cap. */

/** The server takes no larger image. */
export const MAX_IMAGE_BYTES = 20 * 1024 * 1024;

/** A body was longer than its cap. */
export class TooLongError extends Error {}

/**
 * Read a body up to a cap; what is longer is neither read nor received any further.
 *
 * @param {Response} response An answer, its body not yet read.
 * @param {number} maxBytes The cap.
 * @returns {Promise<Uint8Array<ArrayBuffer>[]>} Its body in pieces.
 * @throws {TooLongError} The body is longer.
 */
export async function readCapped(response, maxBytes = MAX_IMAGE_BYTES) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = [];
  const reader = response.body?.getReader();
  let byteCount = 0;
  for (;;) {
    const piece = await reader?.read();
    if (piece?.value === undefined) return pieces;
    byteCount += piece.value.byteLength;
    if (byteCount > maxBytes) {
      await reader?.cancel();
      throw new TooLongError();
    }
    pieces.push(piece.value);
  }
}
