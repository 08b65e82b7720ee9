/** Reads the search query of a page: from its address, or else from its search field. */
import { toText } from './candidates.js';

/** Names that search pages give their query, the most telling first. */
const QUERY_PARAMETERS = ['q', 'query', 'search_query', 'searchTerm', 'keyword', 'text', 'word'];
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
  for (const field of document.querySelectorAll(SEARCH_FIELDS)) {
    // The attribute is the query that the page answers; the property may be half-typed since.
    const query = toText(field.getAttribute('value') ?? field.textContent);
    if (query !== null) return query;
  }
  return null;
}
