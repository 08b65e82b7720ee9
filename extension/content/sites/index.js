/** Chooses the adapter for a page and runs it: the one entry for browsers, tests and node alike. */
import { toText } from '../candidates.js';
import { findQuery } from '../query.js';
import { bing } from './bing.js';
import { generic } from './generic.js';

/** @typedef {import('../../lib/types.js').PageScan} PageScan */

/** The first that matches reads the page; the generic one matches every page. */
export const ADAPTERS = [bing, generic];

/** What the server takes in one capture. */
export const MAX_CANDIDATES = 1000;

/**
 * Read a page into candidates with all that the page says of their origin.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {URL} location Its address.
 * @returns {PageScan} At most `MAX_CANDIDATES` candidates; what is beyond counts as left out.
 */
export function scan(document, location) {
  const adapter = ADAPTERS.find((each) => each.matches(document, location)) ?? generic;
  const findings = adapter.findCandidates(document, location);
  const kept = findings.candidates.slice(0, MAX_CANDIDATES);
  return {
    origin: {
      engine: adapter.id,
      query: findQuery(document, location),
      page_url: location.href,
      page_title: toText(document.title) ?? '',
    },
    candidates: kept,
    tile_count: findings.tile_count,
    left_out_count: findings.left_out_count + findings.candidates.length - kept.length,
  };
}
