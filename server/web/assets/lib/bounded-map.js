/**
 * Maps that forget: what a page remembers must not grow for as long as it is open.
 */

/**
 * @param {Map<unknown, unknown>} map Its oldest entries are dropped.
 * @param {number} size How many may stay.
 */
export function keepNewest(map, size) {
  for (const key of map.keys()) {
    if (map.size <= size) return;
    map.delete(key);
  }
}
