/**
 * Pillow's resampling of RGB pixels, to the bit: what a model sees here is what it saw in training.
 *
 * Source: the algorithm of `ImagingResample` in Pillow 13's `src/libImaging/Resample.c`: a bicubic
 * filter, widened where an image shrinks, its weights in fixed point of 22 bits, one side after the
 * other with eight bits in between.
 */

const CHANNELS = 3;
const SUPPORT = 2;
/** The bicubic filter's own parameter. */
const A = -0.5;
const PRECISION_BITS = 22;
const HALF = 1 << (PRECISION_BITS - 1);

/** @typedef {{width: number, height: number, data: Uint8Array | Uint8ClampedArray}} Pixels Rows of red, green, blue. */
/** @typedef {[number, number, number, number]} Box Left, top, right and bottom, in pixels; may be between two. */
/** @typedef {{size: number, first: Int32Array, count: Int32Array, weights: Int32Array}} Weights Of each new pixel. */

/**
 * @param {number} at Distance in pixels of the coarser side.
 * @returns {number} The weight there.
 */
function bicubic(at) {
  const x = Math.abs(at);
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * A;
  return 0;
}

/**
 * @param {number} inSize Pixels of a side before.
 * @param {number} from Where the part begins that is taken.
 * @param {number} to Where it ends.
 * @param {number} outSize Pixels of the side afterwards.
 * @returns {Weights} Which pixels each new one is made of, and how much of each.
 */
function weigh(inSize, from, to, outSize) {
  const scale = (to - from) / outSize;
  const stretch = Math.max(scale, 1);
  const support = SUPPORT * stretch;
  const size = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * size);
  const row = new Float64Array(size);
  for (let place = 0; place < outSize; place += 1) {
    const centre = from + (place + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const high = Math.min(inSize, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let step = 0; step < high - low; step += 1) {
      row[step] = bicubic((step + low - centre + 0.5) * (1 / stretch));
      sum += row[step] ?? 0;
    }
    first[place] = low;
    count[place] = high - low;
    for (let step = 0; step < high - low; step += 1) {
      const weight = sum === 0 ? (row[step] ?? 0) : (row[step] ?? 0) / sum;
      weights[place * size + step] = Math.trunc(
        (weight < 0 ? -0.5 : 0.5) + weight * 2 ** PRECISION_BITS,
      );
    }
  }
  return { size, first, count, weights };
}

/**
 * @param {number} sum In fixed point.
 * @returns {number} The same as a byte.
 */
function toByte(sum) {
  const value = sum >> PRECISION_BITS;
  return Math.min(255, Math.max(0, value));
}

/**
 * Weigh some pixels of one channel.
 *
 * @param {Pixels['data']} source All pixels.
 * @param {number} from The first of them.
 * @param {number} step From one to the next.
 * @param {Int32Array} weights One for each.
 * @returns {number} The new pixel.
 */
function mix(source, from, step, weights) {
  let sum = HALF;
  for (let k = 0; k < weights.length; k += 1) {
    sum += /** @type {number} */ (source[from + k * step]) * /** @type {number} */ (weights[k]);
  }
  return toByte(sum);
}

/**
 * @param {Weights} weights Of a side.
 * @returns {{begin: number, own: Int32Array}[]} For each new pixel: where its pixels begin, and the weight of each.
 */
function spread({ size, first, count, weights }) {
  return Array.from(first, (begin, place) => ({
    begin,
    own: weights.subarray(place * size, place * size + /** @type {number} */ (count[place])),
  }));
}

/**
 * Resample the width.
 *
 * @param {Pixels} image What to resample.
 * @param {Weights} weights For each new column.
 * @returns {Pixels} The image, as wide as there are weights.
 */
function resampleWidth(image, weights) {
  const columns = spread(weights);
  const data = new Uint8Array(columns.length * image.height * CHANNELS);
  let at = 0;
  for (let y = 0; y < image.height; y += 1) {
    for (const { begin, own } of columns) {
      const from = (y * image.width + begin) * CHANNELS;
      for (let channel = 0; channel < CHANNELS; channel += 1) {
        data[at] = mix(image.data, from + channel, CHANNELS, own);
        at += 1;
      }
    }
  }
  return { width: columns.length, height: image.height, data };
}

/**
 * Resample the height.
 *
 * @param {Pixels} image What to resample.
 * @param {Weights} weights For each new row.
 * @returns {Pixels} The image, as high as there are weights.
 */
function resampleHeight(image, weights) {
  const rows = spread(weights);
  const stride = image.width * CHANNELS;
  const data = new Uint8Array(stride * rows.length);
  let at = 0;
  for (const { begin, own } of rows) {
    for (let x = 0; x < stride; x += 1) {
      data[at] = mix(image.data, begin * stride + x, stride, own);
      at += 1;
    }
  }
  return { width: image.width, height: rows.length, data };
}

/**
 * Scale an image, or a part of it.
 *
 * @param {Pixels} image Of at least one pixel.
 * @param {number} width Of the result, in pixels.
 * @param {number} height Likewise.
 * @param {Box} [box] The part; the whole when left out.
 * @returns {Pixels} What Pillow's `Image.resize` with `BICUBIC` makes of it.
 */
export function resample(image, width, height, box = [0, 0, image.width, image.height]) {
  const [left, top, right, bottom] = box;
  const across = weigh(image.width, left, right, width);
  const down = weigh(image.height, top, bottom, height);
  const isWide = isMoved(width, image.width, left, right);
  const isHigh = isMoved(height, image.height, top, bottom);
  if (isWide && isHigh && isDownFirst(image, width, height)) {
    return resampleWidth(resampleHeight(image, down), across);
  }
  const wide = isWide ? resampleWidth(image, across) : image;
  return isHigh ? resampleHeight(wide, down) : wide;
}

/**
 * @param {number} size Pixels of a side afterwards.
 * @param {number} inSize Before.
 * @param {number} from Where the part begins that is taken.
 * @param {number} to Where it ends.
 * @returns {boolean} Whether that side changes at all.
 */
function isMoved(size, inSize, from, to) {
  return size !== inSize || from !== 0 || to !== size;
}

/**
 * Pillow 13 begins with the height where that shrinks by more than twice as many pixels as the width.
 * Source: https://github.com/python-pillow/Pillow/pull/9549; the bound is what its results show.
 *
 * @param {Pixels} image Before.
 * @param {number} width Afterwards.
 * @param {number} height Likewise.
 * @returns {boolean} Whether rows are weighed before columns.
 */
function isDownFirst(image, width, height) {
  const lost = image.height - height;
  return lost > 0 && lost > 2 * (image.width - width);
}
