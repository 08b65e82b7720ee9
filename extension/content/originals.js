/** Turns the addresses of scaled copies into those of their originals, where the rule is certain. */

/**
 * Wikimedia's `…/thumb/a/ab/Name.jpg/320px-Name.jpg`; copies of other formats have another ending.
 *
 * Source: https://www.mediawiki.org/wiki/Manual:Thumb_handler.php.
 */
const WIKIMEDIA_COPY =
  /^(https?:\/\/upload\.wikimedia\.org\/[\w-]+\/[\w-]+)\/thumb(\/\w\/\w\w\/[^/?#]+)\/[^/?#]+$/;

/**
 * Find the original of an image that Wikimedia has scaled.
 *
 * @param {string | null | undefined} url Address of the copy.
 * @returns {string | null} Address of the original; null where it is no such copy.
 */
export function toWikimediaOriginal(url) {
  const [, origin, path] = WIKIMEDIA_COPY.exec(url?.split(/[?#]/, 1)[0] ?? '') ?? [];
  return origin === undefined || path === undefined ? null : origin + path;
}
