/** Decodes an image as the server does: upright, its first frame, on white, without colour profiles. */
import { BowerbirdError } from '../lib/errors.js';
import { text } from '../lib/text.js';

/** @typedef {import('./resample.js').Pixels} Pixels */

/** 200 MB as the browser holds them; the server takes twice as many. */
const MAX_PIXELS = 50_000_000;

/**
 * @param {Blob} blob An image.
 * @returns {Promise<Pixels>} Its pixels.
 * @throws {BowerbirdError} `unexpected`: it cannot be read; `too-large`.
 */
export async function decode(blob) {
  const bitmap = await open(blob);
  try {
    const { width, height } = bitmap;
    if (width * height > MAX_PIXELS) throw new BowerbirdError('too-large', text('imageTooLarge'));
    const context = new OffscreenCanvas(width, height).getContext('2d', {
      alpha: false,
      willReadFrequently: true,
    });
    if (context === null) throw unreadable();
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return withoutAlpha(context.getImageData(0, 0, width, height));
  } finally {
    bitmap.close();
  }
}

/**
 * @param {Blob} blob An image.
 * @returns {Promise<ImageBitmap>} It, decoded.
 * @throws {BowerbirdError} `unexpected`.
 */
async function open(blob) {
  try {
    return await createImageBitmap(blob, {
      colorSpaceConversion: 'none',
      imageOrientation: 'from-image',
      premultiplyAlpha: 'default',
    });
  } catch {
    throw unreadable();
  }
}

/** @returns {BowerbirdError} For what is no image. */
function unreadable() {
  return new BowerbirdError('unexpected', text('imageNotRead'));
}

/**
 * @param {ImageData} image With four numbers a pixel.
 * @returns {Pixels} With three.
 */
function withoutAlpha({ width, height, data }) {
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    pixels[to] = data[from] ?? 0;
    pixels[to + 1] = data[from + 1] ?? 0;
    pixels[to + 2] = data[from + 2] ?? 0;
  }
  return { width, height, data: pixels };
}
