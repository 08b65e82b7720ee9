/** Says what became of reading a page: whether a site answered, and whether all of it was read. */

/** @typedef {import('../lib/types.js').PageMarks} PageMarks */

/** Elements of the usual challenges. Ordinary pages have them too, small or unseen. */
export const CHALLENGE_SELECTOR = [
  'form#captcha-form',
  '.g-recaptcha',
  '.h-captcha',
  'input[name="cf-turnstile-response"]',
  '#challenge-form',
  '.CheckboxCaptcha',
].join();
/** Marks of the usual challenges; they count on empty pages only. */
const CHALLENGE = {
  selector: CHALLENGE_SELECTOR,
  text: /unusual traffic|not a robot|verify (?:that )?you are (?:a )?human/i,
};
/** Marks of challenges that fill a page, so that what pictures it has are no results. */
const WHOLE_PAGE = {
  selector: 'form#captcha-form, .CheckboxCaptcha, form[action*="/checkcaptcha"], #challenge-form',
};
/** Challenges are short pages; what they say is near their beginning. */
const MAX_TEXT_LENGTH = 20_000;

/**
 * Judge what was found.
 *
 * @param {Document} document Page that was read.
 * @param {URL} location Its address.
 * @param {import('../lib/types.js').Adapter} adapter What read it.
 * @param {import('../lib/types.js').Findings} findings What it found.
 * @returns {import('../lib/types.js').ScanState} The one word for it.
 */
export function judge(document, location, adapter, findings) {
  const { candidates, without_original_count } = findings;
  if (adapter.name === null && holds(document, location, WHOLE_PAGE)) return 'blocked';
  if (candidates.length > 0) return without_original_count > 0 ? 'partial' : 'ok';
  if ([adapter.blocked, CHALLENGE].some((marks) => holds(document, location, marks))) {
    return 'blocked';
  }
  if (without_original_count > 0) return 'partial';
  return holds(document, location, adapter.noResults) ? 'no-results' : 'nothing-found';
}

/**
 * Look for marks.
 *
 * @param {Document} document Page to read.
 * @param {URL} location Its address.
 * @param {PageMarks} marks What to look for.
 * @returns {boolean} Whether one of them is there.
 */
function holds(document, location, { selector, text, address }) {
  if (address?.test(location.host + location.pathname)) return true;
  if (selector !== undefined && document.querySelector(selector) !== null) return true;
  return text?.test((document.body?.textContent ?? '').slice(0, MAX_TEXT_LENGTH)) ?? false;
}
