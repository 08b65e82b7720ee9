/** Reads the search query of a page: from its address, or else from its search field. */
import { toText } from './candidates.js';

/** Names that search pages give their query, the most telling first. */
const QUERY_PARAMETERS = [
  'q',
  'query',
  'search_query',
  'searchTerm',
  'keyword',
  'text',
  'word',
  'search',
];
/** Unsplash has its query in the path, with hyphens for spaces. */
const QUERY_PATH = /\/s\/photos\/([^/]{1,500})$/;
const SEARCH_FIELDS = 'input[name="q"], textarea[name="q"], [role="search"] input[type="search"]';

/**
 * Find what the person searched for.
 *
 * @param {Document} document Page to read.
 * @param {URL} location Its address.
 * @returns {string | null} The query, or null on a page that is no answer to one.
 */
export function findQuery(document, location) {
  for (const name of QUERY_PARAMETERS) {
    const query = toText(location.searchParams.get(name));
    if (query !== null) return query;
  }
  const inPath = QUERY_PATH.exec(location.pathname)?.[1];
  if (inPath !== undefined) return toText(decodePath(inPath).replaceAll('-', ' '));
  for (const field of document.querySelectorAll(SEARCH_FIELDS)) {
    // The attribute is the query that the page answers; the property may be half-typed since.
    const query = toText(field.getAttribute('value') ?? field.textContent);
    if (query !== null) return query;
  }
  return null;
}

/**
 * Decode a part of a path.
 *
 * @param {string} text As in the address.
 * @returns {string} In the clear; as it is where it is no UTF-8.
 */
function decodePath(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
