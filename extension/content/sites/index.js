/** Chooses the adapter for a page and runs it: the one entry for browsers, tests and node alike. */
import { CandidateList, toText } from '../candidates.js';
import { judge } from '../diagnosis.js';
import { findQuery } from '../query.js';
import { describeStructure } from '../report.js';
import { baidu } from './baidu.js';
import { bing } from './bing.js';
import { duckduckgo } from './duckduckgo.js';
import { ecosia } from './ecosia.js';
import { flickr } from './flickr.js';
import { generic } from './generic.js';
import { google } from './google.js';
import { openverse } from './openverse.js';
import { pinterest } from './pinterest.js';
import { unsplash } from './unsplash.js';
import { wikimedia } from './wikimedia.js';
import { yandex } from './yandex.js';

/** @typedef {import('../../lib/types.js').PageScan} PageScan */

/** In the order in which a page's shape is tried; the generic one matches every page. */
export const ADAPTERS = [
  google,
  bing,
  duckduckgo,
  yandex,
  baidu,
  ecosia,
  flickr,
  unsplash,
  pinterest,
  wikimedia,
  openverse,
  generic,
];

/** Adapters read no more tiles; a page that was scrolled for minutes has some 2000. */
export const MAX_CANDIDATES = 5000;

/** What the page's scripts got while it was scrolled: more is a page that never ends. */
const MAX_PAYLOADS = 500;

/**
 * Read a page into candidates with all that the page says of their origin.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers that the page's own scripts got, as texts.
 * @param {URL} location Its address.
 * @param {number} [maxCount] How many candidates are enough.
 * @returns {PageScan} At most so many candidates; what is beyond counts as left out.
 */
export function scan(document, payloads, location, maxCount = MAX_CANDIDATES) {
  const texts = payloads.slice(-MAX_PAYLOADS);
  const adapter = chooseAdapter(document, texts, location);
  const findings = adapter.findCandidates(document, texts, location);
  const state = judge(document, location, adapter, findings);
  // Pictures of a captcha are no results.
  const kept = state === 'blocked' ? [] : findings.candidates.slice(0, maxCount);
  return {
    ...findings,
    origin: {
      engine: adapter.id,
      query: findQuery(document, location),
      page_url: location.href,
      page_title: toText(document.title) ?? '',
    },
    site: adapter.name,
    state,
    report:
      state === 'ok'
        ? null
        : describeStructure({ document, payloads: texts, location, adapter, findings, state }),
    candidates: kept,
    left_out_count: findings.left_out_count + findings.candidates.length - kept.length,
  };
}

/**
 * Find out which elements of a page show which candidates. What `scan` finds in data alone, because
 * the page shows it no more or not yet, is not among them.
 *
 * @param {Document} document Page to read; nothing in it is changed.
 * @param {string[]} payloads Answers that the page's own scripts got, as texts.
 * @param {URL} location Its address.
 * @returns {Map<Element, import('../../lib/types.js').Candidate>} Candidates by tile, in page order
 *   as far as the adapter reads in it; empty on a blocked page.
 */
export function locate(document, payloads, location) {
  const texts = payloads.slice(-MAX_PAYLOADS);
  const adapter = chooseAdapter(document, texts, location);
  const found = new CandidateList(location);
  const findings = adapter.findCandidates(document, texts, location, found);
  if (judge(document, location, adapter, findings) === 'blocked') found.shown.clear();
  return found.shown;
}

/**
 * Choose what reads a page: by its address, since a blocked page has no shape, else by its shape,
 * since sites have many addresses and saved pages none.
 *
 * @param {Document} document Page to read.
 * @param {string[]} payloads Answers that the page's own scripts got.
 * @param {URL} location Its address.
 * @returns {import('../../lib/types.js').Adapter} The adapter.
 */
function chooseAdapter(document, payloads, { host, pathname, search }) {
  const address = host + pathname + search;
  return (
    ADAPTERS.find(({ home }) => home?.test(address)) ??
    ADAPTERS.find((each) => each.matches(document, payloads)) ??
    generic
  );
}
