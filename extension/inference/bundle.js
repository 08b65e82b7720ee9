/** Reads `bundle.json`, and refuses what this extension does not know. Data of a server: nothing is trusted. */

/** @typedef {import('./types.js').BundleFacts} BundleFacts */
/** @typedef {{[name: string]: unknown}} Members */

const SCHEMA = 1;
const MAX_CLASSES = 1_000;
const MAX_SIDE_PX = 2_048;
const RESIZES = new Set(['squish', 'crop', 'pad-reflection', 'pad-zeros']);
const SCORES = new Set(['max_probability', 'margin', 'energy']);

/** A bundle that cannot be used here. */
export class BundleError extends Error {}

/**
 * @param {unknown} value Anything from JSON.
 * @returns {Members} Its members; none where it is no object.
 */
function membersOf(value) {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/**
 * @param {boolean} holds What has to hold.
 * @param {string} what Which part is odd.
 */
function require(holds, what) {
  if (!holds) throw new BundleError(`bundle.json: ${what}`);
}

/**
 * @param {unknown} value Anything.
 * @returns {value is number} Whether it is a number to count with.
 */
function isNumber(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

/**
 * @param {unknown} value Anything.
 * @param {(each: number) => boolean} isFine Of each number.
 * @returns {value is [number, number, number]} Whether it is one for each of red, green and blue.
 */
function isTriple(value, isFine) {
  return Array.isArray(value) && value.length === 3 && value.every((v) => isNumber(v) && isFine(v));
}

/**
 * @param {Members} given `preprocessing`.
 * @returns {import('./types.js').Preprocessing} Checked.
 */
function readPreprocessing(given) {
  const { size_px, mean, std, resize, crop_ratio, interpolation } = given;
  require(Number.isInteger(size_px) &&
    Number(size_px) >= 1 &&
    Number(size_px) <= MAX_SIDE_PX, 'size_px');
  require(interpolation === 'bicubic', 'interpolation');
  require(RESIZES.has(String(resize)), 'resize');
  require(isNumber(crop_ratio) && crop_ratio > 0 && crop_ratio <= 1, 'crop_ratio');
  require(isTriple(mean, () => true), 'mean');
  require(isTriple(std, (each) => each > 0), 'std');
  return /** @type {import('./types.js').Preprocessing} */ ({
    size_px,
    mean,
    std,
    resize,
    crop_ratio,
  });
}

/**
 * @param {Members} given `abstention`.
 * @param {string[]} classes Of the model.
 * @returns {import('./types.js').Abstention} Checked.
 */
function readAbstention(given, classes) {
  const { score, threshold, background } = given;
  require(SCORES.has(String(score)), 'abstention.score');
  require(isNumber(threshold), 'abstention.threshold');
  const isClass = typeof background === 'string' && classes.includes(background);
  require(background === null || isClass, 'abstention.background');
  return /** @type {import('./types.js').Abstention} */ ({ score, threshold, background });
}

/**
 * @param {string} json `bundle.json` as it came.
 * @returns {BundleFacts} What answers need of it.
 * @throws {BundleError} It is of another schema, or odd.
 */
export function readBundle(json) {
  /** @type {unknown} */
  let parsed;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new BundleError('bundle.json is no JSON');
  }
  const given = membersOf(parsed);
  require(given['schema'] === SCHEMA, 'schema');
  const { classes } = given;
  const isList =
    Array.isArray(classes) &&
    classes.length >= 2 &&
    classes.length <= MAX_CLASSES &&
    classes.every((name) => typeof name === 'string' && name !== '') &&
    new Set(classes).size === classes.length;
  require(isList, 'classes');
  const names = /** @type {string[]} */ (classes);
  const temperature = membersOf(given['calibration'])['temperature'];
  require(isNumber(temperature) && temperature > 0, 'calibration.temperature');
  const digest = membersOf(given['parts'])['model.onnx'];
  require(typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest), 'parts');
  return {
    classes: names,
    preprocessing: readPreprocessing(membersOf(given['preprocessing'])),
    temperature: Number(temperature),
    abstention: readAbstention(membersOf(given['abstention']), names),
    model_sha256: String(digest),
  };
}
