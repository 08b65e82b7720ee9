import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sourceOf } from '../../server/web/assets/components/import-source.js';
import { chosenFiles, droppedFiles } from '../../server/web/assets/lib/dropped-files.js';
import { tarOf } from '../../server/web/assets/lib/tar.js';

const file = (name, text, type = '') => new File([text], name, { type });

test('tar itself unpacks what was packed, whatever the names and sizes', async () => {
  const entries = [
    { path: 'grizzly/1.jpg', file: file('1.jpg', 'one') },
    { path: 'känguru é/leer.jpg', file: file('leer.jpg', '') },
    { path: `${'long'.repeat(40)}/block.jpg`, file: file('block.jpg', 'x'.repeat(512)) },
    { path: `${'a'.repeat(96)}.jpg`, file: file('100.jpg', 'exactly a hundred') },
    {
      path: `${'p'.repeat(99 - 14)}/n.jpg`,
      file: file('n.jpg', 'a record whose length has more digits'),
    },
  ];
  const folder = mkdtempSync(join(tmpdir(), 'tar-'));
  try {
    const archive = join(folder, 'all.tar');
    writeFileSync(archive, Buffer.from(await tarOf(entries).arrayBuffer()));
    execFileSync('tar', ['-xf', archive, '-C', folder]);
    for (const entry of entries) {
      assert.equal(readFileSync(join(folder, entry.path), 'utf8'), await entry.file.text());
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('one archive goes as it is, anything else as a tar', async () => {
  const zip = file('bears.zip', 'PK');
  const one = sourceOf([{ path: 'bears.zip', file: zip }]);
  assert.equal(one.body, zip);
  assert.equal(one.name, 'bears.zip');
  const folder = sourceOf([
    { path: 'bears/a.jpg', file: file('a.jpg', 'a') },
    { path: 'bears/b/b.zip', file: file('b.zip', 'b') },
  ]);
  assert.equal(folder.name, 'bears (2 files)');
  assert.equal(folder.body.type, 'application/x-tar');
  const loose = [file('a.jpg', 'a'), file('b.jpg', 'b')].map((each) => ({
    path: each.name,
    file: each,
  }));
  assert.equal(sourceOf(loose).name, '2 files');
  assert.equal(sourceOf([]), null);
});

test('a chosen folder keeps its paths, a dropped one is walked through to its last page', async () => {
  const chosen = file('a.jpg', 'a');
  Object.defineProperty(chosen, 'webkitRelativePath', { value: 'bears/a.jpg' });
  assert.deepEqual(
    chosenFiles([chosen, file('b.jpg', 'b')]).map(({ path }) => path),
    ['bears/a.jpg', 'b.jpg'],
  );
  const leaf = (path) => ({
    isFile: true,
    fullPath: path,
    file: (resolve) => resolve(file(path, path)),
  });
  // A browser gives a folder's entries by the hundred, and then none.
  const folder = (pages) => ({
    isFile: false,
    createReader: () => ({ readEntries: (resolve) => resolve(pages.shift() ?? []) }),
  });
  const root = folder([
    [leaf('/bears/1.jpg'), folder([[leaf('/bears/deep/2.jpg')]])],
    [leaf('/bears/3.jpg')],
  ]);
  const item = (entry, own) => ({ webkitGetAsEntry: () => entry, getAsFile: () => own });
  const items = [item(root, null), item(null, null), item(null, file('4.jpg', '4'))];
  const found = await droppedFiles({ items });
  assert.deepEqual(
    found.map(({ path }) => path),
    ['bears/1.jpg', 'bears/deep/2.jpg', 'bears/3.jpg', '4.jpg'],
  );
  assert.deepEqual(await droppedFiles(null), []);
});
