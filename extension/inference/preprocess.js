/**
 * From decoded pixels to a model's input, as the server does it: `server/contract/preprocess.py` in
 * another language. A test holds the two against each other, bit by bit.
 */
import { resample } from './resample.js';

/** @typedef {import('./resample.js').Pixels} Pixels */
/** @typedef {import('./types.js').Preprocessing} Preprocessing */

const CHANNELS = 3;

/**
 * Python's rounding: halves go to the even neighbour.
 *
 * @param {number} value Any.
 * @returns {number} A whole number.
 */
function round(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/**
 * @param {Pixels} image Of any size.
 * @param {Preprocessing} preprocessing The bundle's.
 * @returns {Pixels} The square that the model sees, before its numbers are scaled.
 */
export function toSquare(image, { size_px: side, resize, crop_ratio: ratio }) {
  if (resize === 'pad-reflection' || resize === 'pad-zeros') {
    return pad(image, side, resize === 'pad-reflection');
  }
  if (resize === 'squish') return resample(image, side, side);
  const length = Math.min(image.width, image.height) * ratio;
  const left = (image.width - length) / 2;
  const top = (image.height - length) / 2;
  return resample(image, side, side, [left, top, left + length, top + length]);
}

/**
 * Scale the longer side, and fill what is left around the centred image.
 *
 * @param {Pixels} image Of any size.
 * @param {number} side Of the square.
 * @param {boolean} isMirrored By its mirror image; else by black.
 * @returns {Pixels} The square.
 */
function pad(image, side, isMirrored) {
  const scale = side / Math.max(image.width, image.height);
  const width = Math.max(1, round(image.width * scale));
  const height = Math.max(1, round(image.height * scale));
  const { data: source } = resample(image, width, height);
  const top = Math.floor((side - height) / 2);
  const left = Math.floor((side - width) / 2);
  // Without a second pixel there is nothing to mirror: the edge goes on.
  const isEdge = Math.min(width, height) === 1;
  const data = new Uint8Array(side * side * CHANNELS);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const row = y - top;
      const column = x - left;
      const isInside = row >= 0 && row < height && column >= 0 && column < width;
      if (!isInside && !isMirrored) continue;
      const place = isEdge ? clamp : mirror;
      const from = (place(row, height) * width + place(column, width)) * CHANNELS;
      data.set(source.subarray(from, from + CHANNELS), (y * side + x) * CHANNELS);
    }
  }
  return { width: side, height: side, data };
}

/**
 * @param {number} at Any place on an endless line.
 * @param {number} size Pixels that there are.
 * @returns {number} The pixel there, where the image is mirrored at its outermost pixels, again and again.
 */
function mirror(at, size) {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const within = ((at % period) + period) % period;
  return within < size ? within : period - within;
}

/**
 * @param {number} at Any place.
 * @param {number} size Pixels that there are.
 * @returns {number} The nearest one.
 */
function clamp(at, size) {
  return Math.min(size - 1, Math.max(0, at));
}

/**
 * @param {Pixels} image Red, green and blue, of any size.
 * @param {Preprocessing} preprocessing The bundle's.
 * @returns {Float32Array} `[3, size_px, size_px]`: in single precision at each step, as the server.
 */
export function toInput(image, preprocessing) {
  const { data, width, height } = toSquare(image, preprocessing);
  const count = width * height;
  const input = new Float32Array(count * CHANNELS);
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    const mean = Math.fround(preprocessing.mean[channel] ?? 0);
    const std = Math.fround(preprocessing.std[channel] ?? 1);
    for (let place = 0; place < count; place += 1) {
      const share = Math.fround((data[place * CHANNELS + channel] ?? 0) / 255);
      input[channel * count + place] = Math.fround(Math.fround(share - mean) / std);
    }
  }
  return input;
}
