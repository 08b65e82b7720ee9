/** Reads `srcset`: the images that a picture offers for wider or denser screens. */

/** @typedef {{url: string, width: number | null, density: number}} Entry Width in pixels, if named. */

/** Longer attributes are no list of a picture's sizes. */
const MAX_LENGTH = 65_536;

/**
 * Find the largest image among several sets.
 *
 * @param {string[]} texts `srcset` attributes as written.
 * @param {(url: string) => boolean} accepts Whether an address can be used.
 * @returns {Entry | null} The largest; null when there is none.
 */
export function findLargestEntry(texts, accepts) {
  const entries = texts.flatMap(parseSrcset).filter(({ url }) => accepts(url));
  const [first] = entries;
  if (first === undefined) return null;
  return entries.reduce((best, entry) => (sizeOf(entry) > sizeOf(best) ? entry : best), first);
}

/**
 * Parse a `srcset`. Addresses may hold commas, so an entry ends at a comma that white space follows
 * or that a descriptor precedes.
 *
 * @param {string} text Attribute as written.
 * @returns {Entry[]} Its entries.
 */
export function parseSrcset(text) {
  const entries = [];
  for (const match of text
    .slice(0, MAX_LENGTH)
    .matchAll(/([^\s,]\S*[^\s,])(?:\s+([\d.]+)([wx]))?/g)) {
    const [, url = '', number, unit] = match;
    const value = Number(number ?? 1);
    entries.push({
      url,
      width: unit === 'w' ? value : null,
      density: unit === 'w' ? 1 : value,
    });
  }
  return entries;
}

/**
 * Order `srcset` entries: any width counts for more than any density.
 *
 * @param {Entry} entry One entry.
 * @returns {number} Larger means a larger image.
 */
function sizeOf(entry) {
  return entry.width ?? entry.density / 1000;
}
