/**
 * Reads data that sites put into scripts and answers. It is a stranger's: every step is bounded, and
 * only own properties are read, so that keys such as `__proto__` mean nothing. Imports nothing.
 */

/** @typedef {{[key: string]: unknown}} JsonRecord */

/** Google's result page has 1 MB of scripts, Pinterest's 3 MB. */
const MAX_TEXT_LENGTH = 16_000_000;
const MAX_SCRIPTS = 2000;
/** 1000 results of 100 members each, with room to spare. */
const MAX_NODES = 1_000_000;
/** Put before JSON against inclusion as a script. */
const JSON_GUARD = /^\s*(?:\)\]\}'|for\s?\(;;\);|while\s?\(1\);)/;
const ESCAPE = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|([^]))/gi;
/** @type {{[letter: string]: string}} */
const CONTROLS = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * Tell a JSON object from everything else.
 *
 * @param {unknown} value Parsed JSON.
 * @returns {value is JsonRecord} False for arrays and null, too.
 */
export function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Follow a path into parsed JSON.
 *
 * @param {unknown} value Where to start.
 * @param {...(string | number)} path Keys and places.
 * @returns {unknown} What is there; undefined where the path ends early.
 */
export function getAt(value, ...path) {
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = /** @type {{[key: string | number]: unknown}} */ (value)[key];
  }
  return value;
}

/**
 * Read a text in parsed JSON.
 *
 * @param {unknown} value Where to start.
 * @param {...(string | number)} path Keys and places.
 * @returns {string | null} The text; null where there is none, or an empty one.
 */
export function textAt(value, ...path) {
  const text = getAt(value, ...path);
  return typeof text === 'string' && text !== '' ? text : null;
}

/**
 * Parse JSON that may be anything.
 *
 * @param {string | null | undefined} text The text, possibly with a guard before it.
 * @returns {unknown} Its value; null when it is not JSON or too long.
 */
export function parseJson(text) {
  if (!text || text.length > MAX_TEXT_LENGTH) return null;
  try {
    return /** @type {unknown} */ (JSON.parse(text.replace(JSON_GUARD, '')));
  } catch {
    return null;
  }
}

/**
 * Find objects of one shape anywhere in parsed JSON: sites rename what is around their results more
 * often than the results themselves.
 *
 * @param {unknown} root Where to look.
 * @param {(value: JsonRecord) => boolean} accepts Whether an object has the shape.
 * @returns {JsonRecord[]} Such objects in the order of the text; what is inside one is not looked at.
 */
export function findRecords(root, accepts) {
  const found = [];
  const stack = [root];
  for (let count = 0; stack.length > 0 && count < MAX_NODES; count += 1) {
    const value = stack.pop();
    if (isRecord(value) && accepts(value)) {
      found.push(value);
      continue;
    }
    const children = /** @type {unknown[]} */ (
      Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : []
    );
    for (let place = children.length - 1; place >= 0; place -= 1) {
      if (typeof children[place] === 'object') stack.push(children[place]);
    }
  }
  return found;
}

/**
 * Cut a bracketed JSON value out of a longer text, in one pass.
 *
 * @param {string} text Where it is.
 * @param {number} start Place of its first bracket.
 * @param {number} maxLength A longer value is given up.
 * @returns {string | null} The value's text; null when its brackets don't close in time.
 */
export function cutBalanced(text, start, maxLength) {
  const end = Math.min(text.length, start + maxLength);
  let depth = 0;
  for (let place = start; place < end; place += 1) {
    const char = text[place];
    if (char === '"') place = skipString(text, place, end);
    else if (char === '[' || char === '{') depth += 1;
    else if (char === ']' || char === '}') {
      depth -= 1;
      if (depth === 0) return text.slice(start, place + 1);
    }
  }
  return null;
}

/**
 * Find the end of a JSON string.
 *
 * @param {string} text Where it is.
 * @param {number} start Place of its opening quote.
 * @param {number} end Where to give up.
 * @returns {number} Place of its closing quote, or `end`.
 */
function skipString(text, start, end) {
  for (let place = start + 1; place < end; place += 1) {
    if (text[place] === '\\') place += 1;
    else if (text[place] === '"') return place;
  }
  return end;
}

/**
 * Undo one level of JavaScript's string escapes throughout a text.
 *
 * @param {string} text Text that holds escaped JSON.
 * @returns {string} The text with `\x22`, `\u003d`, `\"`, … replaced by what they stand for.
 */
export function unescapeOnce(text) {
  return text.replace(ESCAPE, (_whole, /** @type {string[]} */ ...[hex, long, char]) => {
    const code = hex ?? long;
    if (code !== undefined) return String.fromCharCode(parseInt(code, 16));
    return CONTROLS[char ?? ''] ?? char ?? '';
  });
}

/**
 * Read the texts of a page's own scripts.
 *
 * @param {Document} document Page to read.
 * @returns {string[]} Their texts in page order, `MAX_TEXT_LENGTH` characters at most.
 */
export function readScripts(document) {
  const texts = [];
  let length = 0;
  for (const script of [...document.querySelectorAll('script')].slice(0, MAX_SCRIPTS)) {
    const text = script.textContent ?? '';
    length += text.length;
    if (length > MAX_TEXT_LENGTH) break;
    if (text !== '') texts.push(text);
  }
  return texts;
}
