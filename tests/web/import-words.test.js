import './support/dom.js';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Problem } from '../../server/web/assets/lib/api.js';
import {
  explainEntry,
  explainImportError,
  importSentence,
  refusedByReason,
} from '../../server/web/assets/lib/import-words.js';

const report = (more) => ({
  format: 'zip',
  dry_run: true,
  found: 12,
  added: 10,
  known: 1,
  refused_count: 1,
  ...more,
});

test('an import is told in one sentence, before and after', () => {
  assert.equal(
    importSentence(report()),
    '12 images found: 10 would be added, 1 already here, 1 would be refused.',
  );
  assert.equal(
    importSentence(report({ dry_run: false })),
    '12 images found: 10 added, 1 already here, 1 refused.',
  );
  assert.equal(
    importSentence(report({ format: 'csv', found: 1, added: 1, known: 0, refused_count: 0 })),
    '1 address found: 1 would be added.',
  );
  assert.equal(importSentence(report({ found: 0, added: 0 })), 'There is no image in it.');
});

test('every flaw that the server knows has words of its own', () => {
  const source = readFileSync('server/archives/refusals.py', 'utf8');
  const [whole, entry] = source.split('class EntryFlaw');
  const words = (text) =>
    [...text.matchAll(/^ {4}[A-Z_0-9]+ = "([a-z0-9-]+)"/gm)].map((found) => found[1]);
  assert.ok(words(entry).length > 10);
  for (const flaw of words(entry)) {
    assert.notEqual(explainEntry(flaw).title, flaw, `an entry that is ${flaw}`);
  }
  assert.ok(words(whole).length > 8);
  const module = readFileSync('server/web/assets/lib/import-words.js', 'utf8');
  for (const flaw of words(whole)) {
    assert.match(module, new RegExp(`^ {2}'${flaw}':`, 'm'), `a file that is ${flaw}`);
  }
});

test('a file that is refused as a whole is told what to do, and that nothing was added', () => {
  const problem = (slug, members) =>
    new Problem({ slug, title: 'T', status: 422, detail: 'its directory is cut off', members });
  assert.equal(
    explainImportError(problem('import-refused', { kind: 'damaged-archive' })),
    'Its directory is cut off. Fetch or pack it again. Nothing was added.',
  );
  assert.equal(
    explainImportError(problem('import-refused', { kind: 'unknown' })),
    'Its directory is cut off. Nothing was added.',
  );
  assert.equal(explainImportError(problem('other', {})), 'Its directory is cut off.');
});

test('refused entries stand by reason, the most frequent first', () => {
  const refused = ['link', 'damaged', 'damaged'].map((reason, at) => ({
    reason,
    path: String(at),
  }));
  assert.deepEqual(
    refusedByReason(refused).map(([reason, entries]) => [reason, entries.length]),
    [
      ['damaged', 2],
      ['link', 1],
    ],
  );
});
