import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchLabel, nameAnswer, normaliseQuery, proposeLabel } from '../../extension/lib/label.js';

// query as typed, what was looked for
const QUERIES = [
  [null, ''],
  ['', ''],
  ['Grizzly Bear', 'grizzly bear'],
  ['  grizzly \n bear ', 'grizzly bear'],
  ['grizzly bear images', 'grizzly bear'],
  ['pictures of... HD', 'of...'],
  ['"black bear" photo', 'black bear'],
  ['teddy bear -toy site:example.org filetype:jpg', 'teddy bear'],
  ['cat OR dog', 'cat dog'],
  ['orchid', 'orchid'],
  ['photo', 'photo'],
  ['Bär', 'bär'],
  ['Ba\u0308r', 'b\u00e4r'],
  ['\u200fدب\u200e \u202bبني\u202c', 'دب بني'],
  ['熊 图片', '熊 图片'],
  ['x'.repeat(300), 'x'.repeat(100)],
];
for (const [query, expected] of QUERIES) {
  test(`the query ${JSON.stringify(query)?.slice(0, 60)} is reduced`, () => {
    assert.equal(normaliseQuery(query), expected);
  });
}

const NOTHING = { query: null, labels: [], queryLabels: {}, lastLabel: undefined };
// what is known, the proposal
const PROPOSALS = [
  ['nothing', {}, ''],
  ['the last label where there is no query', { lastLabel: 'grizzly' }, 'grizzly'],
  ['the query', { query: 'Teddy Bear photos', lastLabel: 'grizzly' }, 'teddy bear'],
  ['the dataset’s spelling', { query: 'teddy  bear', labels: ['Teddy Bear'] }, 'Teddy Bear'],
  [
    'what was chosen for the query before',
    { query: 'ursus arctos', queryLabels: { 'ursus arctos': 'grizzly' } },
    'grizzly',
  ],
];
for (const [name, known, expected] of PROPOSALS) {
  test(`a proposal from ${name}`, () => {
    assert.equal(proposeLabel({ ...NOTHING, ...known }), expected);
  });
}

test('labels match whatever their letter case and white space', () => {
  assert.equal(matchLabel(' black   BEAR', ['Grizzly', 'Black bear']), 'Black bear');
  assert.equal(matchLabel('black', ['Black bear']), undefined);
});

test('an answer is named by its first label, however unsure', () => {
  const predictions = [{ label: 'grizzly', probability: 0.93 }];
  assert.equal(nameAnswer({ predictions, abstained: false }), 'grizzly');
  assert.match(nameAnswer({ predictions, abstained: true }), /^Not sure: perhaps grizzly/);
  assert.equal(nameAnswer({ predictions: [], abstained: true }), 'Not sure');
});
