/**
 * What a change to an image is: which one a command asks for, what it makes of the image, and how it is told. Pure.
 */
import { plural } from './format.js';

/** @typedef {import('./types.js').Image} Image */
/** @typedef {import('./types.js').ImageChange} ImageChange */

/**
 * The change that a command asks for: excluding is taken back, and so is a review, where all have it already.
 * @param {import('./keymap.js').Command} command From a key.
 * @param {Image[]} images What it is about.
 * @returns {ImageChange | null} What to set; null when the command changes no image.
 */
export function changeFor(command, images) {
  if (command.name === 'label') return { label: command.label };
  if (command.name === 'keep') return { reviewed: true };
  if (command.name === 'exclude') return { excluded: !images.every((image) => image.excluded) };
  if (command.name === 'review') {
    return { reviewed: !images.every((image) => image.reviewed_at !== null) };
  }
  return null;
}

/**
 * @param {ImageChange} change What was set by a key.
 * @returns {boolean} Whether one goes on to the next image; what was taken back is looked at again.
 */
export const isSettling = ({ excluded, reviewed }) => excluded !== false && reviewed !== false;

/**
 * @param {Image} image As it is.
 * @param {ImageChange} change What to set.
 * @returns {boolean} Whether that changes anything.
 */
export function differs(image, { label, excluded, reviewed }) {
  return (
    (label !== undefined && image.label !== label) ||
    (excluded !== undefined && image.excluded !== excluded) ||
    (reviewed !== undefined && (image.reviewed_at !== null) !== reviewed)
  );
}

/**
 * @param {Image} image As it is.
 * @param {ImageChange} change What to set.
 * @returns {Image} As the server will have it, version and all.
 */
export function changed(image, { label, excluded, reviewed }) {
  const now = { ...image };
  if (label !== undefined) now.label = label;
  if (excluded !== undefined) now.excluded = excluded;
  if (reviewed !== undefined) now.reviewed_at = reviewed ? new Date().toISOString() : null;
  return newer(now);
}

/**
 * @param {Image} image As it was shown, or is to be.
 * @returns {Image} The same in its next version.
 */
function newer(image) {
  return image.version === undefined ? { ...image } : { ...image, version: image.version + 1 };
}

/**
 * @param {ImageChange} set What was set.
 * @returns {string} In words, in the middle of a sentence.
 */
export function describe({ label, excluded, reviewed }) {
  if (label !== undefined && label !== null) return `label “${label}”`;
  if (excluded !== undefined && excluded !== null) return excluded ? 'excluded' : 'included again';
  return reviewed ? 'marked as reviewed' : 'no longer marked as reviewed';
}

/**
 * @param {ImageChange} set What was set.
 * @returns {string} In words, at the beginning of a sentence.
 */
export function sentence(set) {
  const words = describe(set);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/**
 * @param {number} count Images that somebody else changed.
 * @returns {string} What became of them.
 */
export function conflictText(count) {
  return count === 1
    ? 'One image was changed elsewhere in the meantime: it is shown as it is now.'
    : `${plural(count, 'image')} were changed elsewhere in the meantime: they are shown as they are now.`;
}
