/** Every sentence exists in every language, says the same parts, and is used. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { readMessages } from './support/i18n.js';
import { text, textCount } from '../../extension/lib/text.js';

const FOLDER = new URL('../../extension/', import.meta.url);
const languages = readdirSync(new URL('_locales/', FOLDER));
const english = readMessages('en');
const manifest = readFileSync(new URL('manifest.json', FOLDER), 'utf8');
const sources = readdirSync(FOLDER, { recursive: true })
  .filter((path) => /\.(?:js|html)$/.test(path))
  .map((path) => readFileSync(new URL(path, FOLDER), 'utf8'))
  .join('\n');
const placeholders = (message) => [...new Set(message.match(/\$[1-9]/g))].sort();

test('languages have the same sentences with the same placeholders', () => {
  assert.ok(languages.includes('en') && languages.length >= 2);
  for (const language of languages) {
    const messages = readMessages(language);
    assert.deepEqual(Object.keys(messages).sort(), Object.keys(english).sort(), language);
    for (const [key, { message }] of Object.entries(messages)) {
      assert.notEqual(message.trim(), '', `${language}: ${key}`);
      assert.deepEqual(placeholders(message), placeholders(english[key].message), key);
    }
    assert.equal(messages['language'].message, language);
  }
});

test('a sentence that counts has both forms', () => {
  for (const key of Object.keys(english)) {
    const stem = /^(.+)_(?:one|other)$/.exec(key)?.[1];
    if (stem !== undefined) assert.ok(`${stem}_one` in english && `${stem}_other` in english, key);
  }
});

test('every sentence that is named exists, and every one that exists is named', () => {
  const named = [
    ...sources.matchAll(/\btext\(\s*'([^']+)'/g),
    ...sources.matchAll(/\bdata-text(?:-\w+)?="([^"]+)"/g),
    ...manifest.matchAll(/__MSG_(\w+)__/g),
  ].map(([, key]) => key);
  const counted = [...sources.matchAll(/\btextCount\(\s*'([^']+)'/g)].map(([, key]) => key);
  for (const key of named) assert.ok(key in english, key);
  for (const key of counted) assert.ok(`${key}_one` in english, key);
  for (const key of Object.keys(english)) {
    const stem = key.replace(/_(?:one|other)$/, '');
    // A table may name a key apart from the call that looks it up.
    assert.match(sources + manifest, new RegExp(`['"_](?:${stem}|${key})['"_]`), key);
  }
});

test('placeholders are filled in, and a key that nobody wrote says itself', () => {
  assert.equal(textCount('images', 1), '1 image');
  assert.equal(textCount('images', 1234), '1,234 images');
  assert.equal(text('noSuchKey'), 'noSuchKey');
});
