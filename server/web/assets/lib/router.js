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
 * @returns {Route} Its parts; the home page is `home`. A part of a page (`#/datasets/01JD/clean`) is a page of its
 * own, `datasets/clean`.
 */
export function parseHash(hash) {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [page = '', id = '', part = ''] = path.split('/');
  return {
    page: (decoded(page) || 'home') + (part ? `/${decoded(part)}` : ''),
    id: id ? decoded(id) : null,
    query: new URLSearchParams(search),
  };
}

/**
 * @param {string} page Such as `datasets`, or `datasets/clean`.
 * @param {string | null} id What it shows.
 * @returns {string} Such as `datasets/01JD`, or `datasets/01JD/clean`.
 */
function pathFor(page, id) {
  const [name, ...part] = page.split('/');
  return [name, ...(id ? [encodeURIComponent(id), ...part] : [])].join('/');
}

/**
 * @param {string} page The page's name, as {@link parseHash} gives it; `home` has no name in the address.
 * @param {string | null} [id] What it shows.
 * @param {Record<string, string | null | undefined> | URLSearchParams} [query] Empty values are left out.
 * @returns {string} The hash for a link.
 */
export function hashFor(page, id = null, query = {}) {
  const path = page === 'home' ? '' : pathFor(page, id);
  const entries = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const search = new URLSearchParams();
  for (const [key, value] of entries) if (value) search.set(key, value);
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
