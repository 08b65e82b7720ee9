/** What the server says that a browser may still get, sorted by where it is. */
import { permissionFor } from '../lib/server-address.js';
import { parseImageAddress } from './image-address.js';

/** @typedef {import('../lib/browser-fetch.js').ObtainableImage} ObtainableImage */

/**
 * Leave out everything when the server is from before such lists: it answers with all of a dataset's
 * images, as it does not know what it was asked.
 *
 * @param {ObtainableImage[]} images What it answered.
 * @returns {ObtainableImage[]} The same, or nothing.
 */
export function keepUnderstood(images) {
  return images.every((image) => 'http_status' in image) ? images : [];
}

/**
 * Sort images by their host; those of no web address are left out.
 *
 * @param {ObtainableImage[]} images The images.
 * @returns {Map<string, ObtainableImage[]>} By host name.
 */
export function groupByHost(images) {
  /** @type {Map<string, ObtainableImage[]>} */
  const groups = new Map();
  for (const image of images) {
    const host = parseImageAddress(image.url)?.hostname;
    if (host === undefined) continue;
    const group = groups.get(host);
    if (group === undefined) groups.set(host, [image]);
    else group.push(image);
  }
  return groups;
}

/**
 * Name the permissions that fetching images needs.
 *
 * @param {ObtainableImage[]} images The images.
 * @returns {string[]} Match patterns.
 */
export function originsOf(images) {
  return [...new Set(images.map(({ url }) => permissionFor(url)))];
}
