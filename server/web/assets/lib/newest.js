/**
 * Questions of which only the newest counts: the answer to an older one would stand in the newer one's place.
 */

/**
 * @param {AbortSignal} signal Of the page; ends all of them.
 * @returns {() => AbortSignal} Gives the signal of a new question, and ends the one before.
 */
export function onlyNewest(signal) {
  let newest = new AbortController();
  return () => {
    newest.abort();
    newest = new AbortController();
    return AbortSignal.any([signal, newest.signal]);
  };
}
