/** The extension as a folder: what it declares exists, and what it exposes is what it must. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { SEARCH_ORIGINS } from '../../extension/lib/search-hosts.js';

const FOLDER = new URL('../../extension/', import.meta.url);
const read = (path) => readFileSync(new URL(path, FOLDER), 'utf8');
const list = (path) => readdirSync(new URL(path, FOLDER)).filter((name) => name.endsWith('.js'));
const manifest = JSON.parse(read('manifest.json'));

test('every file that the manifest names exists', () => {
  const paths = [
    ...Object.values(manifest.icons),
    ...Object.values(manifest.action.default_icon),
    manifest.action.default_popup,
    manifest.options_ui.page,
    manifest.background.service_worker,
    ...manifest.background.scripts,
  ];
  for (const path of paths) assert.ok(existsSync(new URL(path, FOLDER)), path);
});

test('icons have the sizes that they are declared for', () => {
  for (const [size, path] of Object.entries(manifest.icons)) {
    const png = readFileSync(new URL(path, FOLDER));
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [Number(size), Number(size)]);
  }
});

test('loopback and the search sites by their exact hosts are asked for at installation', () => {
  const loopback = ['http://127.0.0.1/*', 'http://localhost/*'];
  assert.deepEqual(manifest.host_permissions, [...loopback, ...SEARCH_ORIGINS]);
  for (const origin of SEARCH_ORIGINS) assert.match(origin, /^https:\/\/[a-z.]+\.[a-z]{2,3}\/\*$/);
  assert.deepEqual(manifest.optional_host_permissions, ['*://*/*']);
  // Those of the search sites are registered by script: a site can be switched off.
  assert.equal(manifest.content_scripts, undefined);
});

test('pages can load the content scripts and their words alone, and these need nothing else', () => {
  const [{ resources }, ...others] = manifest.web_accessible_resources;
  const words = ['lib/browser.js', 'lib/doubt.js', 'lib/label.js', 'lib/text.js'];
  assert.deepEqual([resources, others], [['content/*', ...words], []]);
  const files = readdirSync(new URL('content/', FOLDER), { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => `content/${name}`);
  files.push(...words);
  for (const file of files) {
    for (const [, path] of read(file).matchAll(/^import .* from '(.*)';$/gm)) {
      const target = new URL(path, new URL(file, FOLDER));
      const name = target.href.slice(FOLDER.href.length);
      assert.ok(name.startsWith('content/') || words.includes(name), `${file}: ${path}`);
    }
  }
});

test('pages of the extension run no foreign or inline script', () => {
  const policy = manifest.content_security_policy.extension_pages;
  assert.match(
    policy,
    /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';/,
  );
  for (const page of ['popup/popup.html', 'options/options.html']) {
    assert.doesNotMatch(read(page), /\son\w+=|\sstyle=|<script(?! type="module" src="\w+\.js")/);
  }
});

test('every id that a script asks for is in its page, once', () => {
  for (const folder of ['popup', 'options']) {
    const ids = [...read(`${folder}/${folder}.html`).matchAll(/\sid="([^"]+)"/g)].map(
      ([, id]) => id,
    );
    assert.deepEqual(ids, [...new Set(ids)]);
    for (const script of list(`${folder}/`)) {
      for (const [, id] of read(`${folder}/${script}`).matchAll(/\bbyId\('([^']+)'/g)) {
        assert.ok(ids.includes(id), `${folder}/${script}: #${id}`);
      }
    }
  }
});
