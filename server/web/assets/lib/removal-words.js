/**
 * What a removal of a site takes, or has taken, in sentences.
 */
import { STAGES } from './explain.js';
import { bytes, plural } from './format.js';

/** @typedef {import('./types.js').Removal} Removal */
/** @typedef {Pick<Removal, 'images' | 'captures' | 'blobs' | 'bytes'>} Amounts */

/**
 * @param {Amounts} amounts Of a removal.
 * @returns {string} Such as: 12 images, 3 captures that become empty, 11 files (3.4 MB).
 */
export function amountsText({ images, captures, blobs, bytes: size_bytes }) {
  const parts = [
    plural(images, 'image'),
    captures > 0
      ? `${plural(captures, 'capture')} that ${captures === 1 ? 'becomes' : 'become'} empty`
      : null,
    blobs > 0 ? `${plural(blobs, 'file')} (${bytes(size_bytes)})` : null,
  ];
  return parts.filter(Boolean).join(', ');
}

/**
 * @param {Removal['models']} models That were trained on images of the site.
 * @returns {string[]} For each stage, the most used first, a sentence.
 */
export function modelSentences(models) {
  /** @type {import('./types.js').Stage[]} */
  const stages = ['live', 'limited', 'shadow', 'candidate', 'retired'];
  return stages.flatMap((stage) => {
    const found = models.filter((model) => model.stage === stage);
    if (found.length === 0) return [];
    const most = Math.max(...found.map(({ images }) => images));
    return [
      `${STAGES[stage].title}: ${plural(found.length, 'model')}, trained on up to ${plural(most, 'image')} of it`,
    ];
  });
}

/**
 * @param {Removal} removal That is done.
 * @returns {string} What it did.
 */
export function doneSentence({ site, images, bytes: size_bytes }) {
  return images > 0
    ? `${plural(images, 'image')} of ${site} removed; ${bytes(size_bytes)} are free again.`
    : `There was nothing of ${site}.`;
}

/**
 * @param {string} typed What a person typed or pasted: a host, or an address on it.
 * @returns {string} The host.
 */
export function siteFrom(typed) {
  const text = typed.trim().toLowerCase();
  return URL.canParse(text) && text.includes('//')
    ? new URL(text).hostname
    : text.replace(/\/.*$/, '');
}
