/** Finds the host of the site that a page is on: a model may be meant to answer for some sites alone. */

/**
 * @param {string | undefined} pageUrl Address of a page.
 * @returns {string | null} Its host; null where it has none, such as a file's.
 */
export function findPageHost(pageUrl) {
  if (pageUrl === undefined || !URL.canParse(pageUrl)) return null;
  const { protocol, hostname } = new URL(pageUrl);
  return /^https?:$/.test(protocol) && hostname !== '' ? hostname : null;
}
