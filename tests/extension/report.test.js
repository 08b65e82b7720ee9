/** The report of a page that could not be read well: what it tells, and what it never does. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { describeStructure } from '../../extension/content/report.js';
import { ADAPTERS, scan } from '../../extension/content/sites/index.js';
import { HOMES, openFixture, openPage } from './support/pages.js';

const FIXTURES = readdirSync(new URL('../fixtures/pages/', import.meta.url));
const SECRET = 'zugspitzmurmeltier';
const siteOf = (name) => name.split(/[-.]/, 1)[0];

/** Every text of a page that says something: what it shows, and all values of attributes. */
function readWords({ document, payloads }) {
  const values = [...document.querySelectorAll('*')].flatMap((element) =>
    [...element.attributes].map(({ value }) => value),
  );
  const texts = [document.documentElement.textContent, ...payloads];
  return [
    ...values,
    ...texts.flatMap((text) => text.match(/https?:[^"'\\\s]+|[^"\\\n]{12,}/g) ?? []),
  ];
}

for (const name of FIXTURES) {
  test(`a report of ${name} says nothing that the page says`, () => {
    const home = (HOMES[siteOf(name)] ?? 'https://page.example/x').replace(/x$/, SECRET);
    const page = openFixture(name, home.replace('q=x&', `q=${SECRET}&`));
    const adapter = ADAPTERS.find(({ id }) => id === siteOf(name));
    const findings = adapter.findCandidates(page.document, page.payloads, page.location);
    const report = describeStructure({ ...page, adapter, findings, state: 'partial' });
    const text = JSON.stringify(report);
    assert.equal(text.includes(SECRET), false);
    assert.equal(/https?:|\?/.test(text), false);
    for (const { title, url, source_url, thumbnail_url } of findings.candidates) {
      for (const each of [title, url, source_url, thumbnail_url]) {
        assert.equal(each !== null && text.includes(each), false, each);
      }
    }
    // The kind of the path is the site's own, and its links may have it, too.
    const rest = text.replace(report.page, '');
    const words = readWords(page).map((word) => word.trim());
    for (const word of words.filter(({ length }) => length >= 12)) {
      assert.equal(rest.includes(word), false, word);
    }
  });
}

test('a report counts what the adapter looks for, by where it is', () => {
  const { document, payloads, location } = openFixture('google-broken.html', HOMES.google);
  const { report } = scan(document, payloads, location);
  assert.equal(report.site, 'google');
  assert.equal(report.state, 'partial');
  assert.equal(report.page, 'www.google.com/search');
  assert.deepEqual(
    [report.counts.tiles, report.counts.in_data, report.counts.candidates],
    [3, 7, 2],
  );
  assert.equal(report.selectors.tile, 3);
  assert.match(report.attributes.tile, /data-docid/);
  assert.ok(report.patterns.entry.in_scripts > 0);
  assert.deepEqual(report.answers, { count: 0, characters: 0 });
  const answered = openFixture('google-scroll-answer.txt', HOMES.google);
  const again = describeStructure({
    ...answered,
    adapter: ADAPTERS[0],
    findings: ADAPTERS[0].findCandidates(answered.document, answered.payloads, location),
    state: 'partial',
  });
  assert.ok(again.patterns.escaped_entry.in_answers > 0);
  assert.equal(again.patterns.entry.in_scripts, 0);
});

test('a page that was read well has no report', () => {
  const { document, payloads, location } = openFixture('bing-results.html', HOMES.bing);
  assert.equal(scan(document, payloads, location).report, null);
});

// address, how it is named
const ADDRESSES = [
  ['https://unsplash.com/s/photos/red-squirrel?order=latest', 'unsplash.com/s/photos/*'],
  ['https://www.pinterest.com/search/pins/?q=owl', 'www.pinterest.com/search/pins/'],
  ['https://intranet.example:8443/people/jane-doe/diagnosis#x', 'intranet.example:8443/*/*/*'],
  ['https://page.example/', 'page.example/'],
];
for (const [address, expected] of ADDRESSES) {
  test(`${expected} is all that is said of ${address}`, () => {
    const { document, payloads, location } = openPage('', address);
    assert.equal(scan(document, payloads, location).report.page, expected);
  });
}

test('attributes that we do not know beforehand are counted, not named', () => {
  const html = `<figure data-testid="asset-grid-1" data-${SECRET}="1" class="a"></figure>`;
  const { document, payloads, location } = openPage(html, HOMES.unsplash);
  const { report } = scan(document, payloads, location);
  assert.equal(report.attributes.tile, 'data-testid class +1');
});

test('every adapter says what a report counts', () => {
  for (const { id, probes } of ADAPTERS) {
    assert.ok(Object.keys(probes.selectors).length > 0, id);
    for (const pattern of Object.values(probes.patterns)) assert.ok(pattern instanceof RegExp, id);
  }
});
