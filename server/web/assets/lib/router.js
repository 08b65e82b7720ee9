/**
 * The address bar's hash, read and written. Which page stands behind which name is main.js's.
 */

/** @typedef {import('./types.js').Route} Route */

/**
 * @param {string} text Percent-encoded, perhaps wrongly: people edit addresses.
 * @returns {string} Decoded when it can be.
 */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * @param {string} hash Such as `#/datasets/01JD?label=bear`.
 * @returns {Route} Its parts; the home page is `home`.
 */
export function parseHash(hash) {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [page = '', id = ''] = path.split('/');
  return {
    page: decoded(page) || 'home',
    id: id ? decoded(id) : null,
    query: new URLSearchParams(search),
  };
}

/**
 * @param {string} page The page's name; `home` has no name in the address.
 * @param {string | null} [id] What it shows.
 * @param {Record<string, string | null | undefined> | URLSearchParams} [query] Empty values are left out.
 * @returns {string} The hash for a link.
 */
export function hashFor(page, id = null, query = {}) {
  const path = page === 'home' ? '' : [page, ...(id ? [encodeURIComponent(id)] : [])].join('/');
  const entries = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const search = new URLSearchParams();
  for (const [name, value] of entries) if (value) search.set(name, value);
  const text = search.toString();
  return `#/${path}${text ? `?${text}` : ''}`;
}

/**
 * @param {Route} a One place.
 * @param {Route} b Another.
 * @returns {boolean} Whether only the query differs.
 */
export function isSamePage(a, b) {
  return a.page === b.page && a.id === b.id;
}
