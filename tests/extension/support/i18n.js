/**
 * The browser's `i18n`, out of the extension's own files. Import it before what says something: the
 * extension looks for the browser's API when its first module is loaded.
 */
import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../../extension/_locales/', import.meta.url);

/**
 * Read a language's messages.
 *
 * @param {string} language Name of its folder.
 * @returns {{[key: string]: {message: string}}} The messages by key.
 */
export function readMessages(language) {
  return JSON.parse(readFileSync(new URL(`${language}/messages.json`, FOLDER), 'utf8'));
}

const messages = readMessages('en');

globalThis.chrome ??= {};
globalThis.chrome.i18n = {
  getMessage: (key, parts = []) =>
    (messages[key]?.message ?? '').replace(/\$(\$|[1-9])/g, (_all, place) =>
      place === '$' ? '$' : (parts[Number(place) - 1] ?? ''),
    ),
};
