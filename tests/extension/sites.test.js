/** What exactly is read off each site: one row a result, as the adapter puts it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scan } from '../../extension/content/sites/index.js';
import { HOMES, openFixture, openPage } from './support/pages.js';

const BIRDS = 'https://birds.example';
const shorten = (url) => url?.replace(BIRDS, '') ?? null;
function read(name) {
  const { document, payloads, location } = openFixture(name, HOMES[name.split('-')[0]]);
  return scan(document, payloads, location).candidates;
}

// fixture, for each candidate [original, source page, title, width, height]
const RESULTS = [
  [
    'duckduckgo-answer.json',
    [
      ['/full/1.jpg', '/page/1', 'Satin bowerbird 1', 1600, 1200],
      ['/full/2.jpg', '/page/2', '<b>Tooth-billed</b>', 1600, 1200],
    ],
  ],
  ['duckduckgo-broken.json', [['/full/4.jpg', null, 'Satin bowerbird 4', null, null]]],
  [
    'yandex-state.html',
    [
      ['/full/0.jpg', '/page/0', 'Satin bowerbird 0', 1600, 1200],
      ['/full/1.jpg', '/page/1', '<b>Tooth-billed</b>', 1600, 1200],
      // No original: the largest of the copies.
      ['https://copies.example/2-l.jpg', '/page/2', 'Satin bowerbird 2', 2000, 1500],
    ],
  ],
  [
    'yandex-answer.json',
    [
      ['/full/30.jpg', '/page/30', 'Satin bowerbird 30', 1600, 1200],
      ['/full/31.jpg', '/page/31', 'Satin bowerbird 31', 1600, 1200],
    ],
  ],
  [
    'yandex-old.html',
    [
      ['/full/1.jpg', '/page/1', 'Satin bowerbird 1', 1600, 1200],
      ['/full/2.jpg', '/page/2', 'Satin bowerbird 2', 1600, 1200],
    ],
  ],
  ['yandex-links.html', [['/full/1.jpg', null, 'Bird 1', null, null]]],
  ['yandex-broken.html', [['/full/3.jpg', null, 'alt 3', null, 1200]]],
  [
    'baidu-answer.json',
    [
      ['http://birds.example/full/1.jpg', 'http://birds.example/page/1', 'Satin bowerbird 1'],
      ['/full/2.jpg', 'http://birds.example/page/2', 'Satin bowerbird 2'],
      // No original of its own: what Baidu offers instead, unless that is its thumbnail.
      ['https://copies.example/3.jpg', 'https://copies.example/page/3', 'Satin bowerbird 3'],
    ].map((row) => [...row, 1600, 1200]),
  ],
  [
    'baidu-bad-escapes.json',
    [['http://birds.example/full/1.jpg', 'http://birds.example/page/1', "It's a bird", 1600, 1200]],
  ],
  [
    'baidu-tiles.html',
    [
      ['http://birds.example/full/1.jpg', 'http://birds.example/page/1', 'A bird', 640, 480],
      ['/full/2.jpg', null, null, null, null],
    ],
  ],
  [
    'ecosia-results.html',
    [
      ['/full/1.jpg', '/page/1', 'Satin bowerbird 1', 2000, 1500],
      ['/full/2.png', '/page/2', '<b>Tooth-billed</b> 2', 800, 600],
    ],
  ],
  [
    'flickr-model.html',
    // In the order of the legend; what it does not name is no result.
    [2, 1].map((n) => [
      `https://live.staticflickr.com/1/${n}_x_k.jpg`,
      `https://www.flickr.com/photos/1@N00/${n}`,
      n === 1 ? 'Satin bowerbird 1' : '100%',
      2048,
      1024,
    ]),
  ],
  [
    'flickr-wrapped.txt',
    [
      [
        'https://live.staticflickr.com/1/1_x_o.jpg',
        'https://www.flickr.com/photos/1@N00/1',
        'Satin bowerbird 1',
        4000,
        2000,
      ],
    ],
  ],
  [
    'flickr-answer.json',
    [
      ['7_x_b', 7, 'Satin bowerbird 7', 1024, 512],
      ['8_y_o', 8, 'Eight', 5000, 2500],
    ].map(([file, n, ...rest]) => [
      `https://live.staticflickr.com/1/${file}.jpg`,
      `https://www.flickr.com/photos/1@N00/${n}`,
      ...rest,
    ]),
  ],
  [
    'unsplash-answer.json',
    [
      ['photo-1-aa?ixid=x&s=1', 'id1', 'satin bowerbird 1'],
      ['photo-2-aa?ixid=x&s=1', 'id2', '<b>Tooth-billed</b>'],
    ].map(([file, id, title]) => [
      `https://images.unsplash.com/${file}`,
      `https://unsplash.com/photos/${id}`,
      title,
      4000,
      3000,
    ]),
  ],
  [
    'unsplash-tiles.html',
    [
      ['photo-1-aa', 1],
      ['flagged/photo-3-cc', 3],
    ].map(([file, n]) => [
      `https://images.unsplash.com/${file}`,
      `https://unsplash.com/photos/satin-id${n}`,
      `satin bowerbird ${n}`,
      null,
      null,
    ]),
  ],
  [
    'pinterest-answer.json',
    [
      [
        'https://i.pinimg.com/originals/01/bb/cc/01bbcc.jpg',
        '/page/1',
        'Satin bowerbird 1',
        1600,
        1200,
      ],
      [
        'https://i.pinimg.com/originals/03/bb/cc/03bbcc.jpg',
        'https://www.pinterest.com/pin/3/',
        '<b>Tooth-billed</b>',
        null,
        null,
      ],
    ],
  ],
  [
    'pinterest-tiles.html',
    [
      ['02bbcc.jpg', '/page/2', 'Satin bowerbird 2', 1600, 1200],
      ['01bbcc.png', 'https://www.pinterest.com/pin/1/', 'Bird 1', null, null],
      ['03bbcc.jpg', 'https://www.pinterest.com/pin/3/', 'Bird 3', null, null],
    ].map(([file, ...rest]) => [
      `https://i.pinimg.com/originals/${file.slice(0, 2)}/bb/cc/${file}`,
      ...rest,
    ]),
  ],
  [
    'wikimedia-answer.json',
    [12, 11].map((n) => [
      `https://upload.wikimedia.org/wikipedia/commons/a/ab/Bird_${n}.jpg`,
      `https://commons.wikimedia.org/wiki/File:Bird_${n}.jpg`,
      `File:Bird_${n}.jpg`,
      1600,
      1200,
    ]),
  ],
  [
    'wikimedia-tiles.html',
    [
      ['a/ab/Bird_1.jpg', 1],
      ['b/bc/Old.tif', 2],
      ['d/de/Bird_%C3%9F.jpg', 4],
    ].map(([file, n]) => [
      `https://upload.wikimedia.org/wikipedia/commons/${file}`,
      `https://commons.wikimedia.org/wiki/File:Bird_${n}.jpg`,
      `File:Bird ${n}.jpg`,
      null,
      null,
    ]),
  ],
  [
    'wikimedia-broken.html',
    [
      [
        'https://upload.wikimedia.org/wikipedia/commons/a/ab/Ok.jpg',
        null,
        '<img src=x onerror=alert(1)>',
        null,
        null,
      ],
    ],
  ],
  [
    'openverse-answer.json',
    [
      ['/full/1.jpg', '/page/1', 'Satin bowerbird 1', 1600, 1200],
      ['/full/2.jpg', '/page/2', '<b>Tooth-billed</b>', null, null],
    ],
  ],
  [
    'openverse-tiles.html',
    [
      ['/full/1.jpg', '/page/1', 'Satin bowerbird 1', 1600, 1200],
      ['/full/2.jpg', '/page/2', 'Satin bowerbird 2', 1600, 1200],
    ],
  ],
  ['openverse-broken.html', [['/full/6.jpg', null, '<img src=x onerror=alert(1)>', null, null]]],
];
for (const [name, expected] of RESULTS) {
  test(`${name} is read field by field`, () => {
    assert.deepEqual(
      read(name).map(({ url, source_url, title, width, height }) => [
        shorten(url),
        shorten(source_url),
        title,
        width,
        height,
      ]),
      expected,
    );
  });
}

// fixture, place, licence and whom to name
const TERMS = [
  ['flickr-model.html', 0, 'All Rights Reserved · Ada Bower'],
  ['flickr-model.html', 1, 'CC BY 2.0 · Ada Bower'],
  ['flickr-answer.json', 0, 'CC0 1.0'],
  ['flickr-answer.json', 1, null],
  ['unsplash-answer.json', 0, 'Unsplash License · https://unsplash.com/license · Ada Bower'],
  ['unsplash-tiles.html', 0, 'Unsplash License · https://unsplash.com/license · Ada Bower'],
  [
    'wikimedia-answer.json',
    1,
    'CC BY-SA 4.0 · https://creativecommons.org/licenses/by-sa/4.0 · Ada Bower',
  ],
  ['wikimedia-answer.json', 0, null],
  [
    'openverse-answer.json',
    0,
    'by-sa 4.0 · https://creativecommons.org/licenses/by-sa/4.0/ · Ada Bower',
  ],
  ['openverse-answer.json', 1, 'cc0 · https://creativecommons.org/licenses/by-sa/4.0/'],
];
for (const [name, place, license] of TERMS) {
  test(`the terms of ${name}, ${place}`, () => {
    assert.equal(read(name)[place].license, license);
  });
}

test('an answer and the tiles that show it are the same results once', () => {
  const { document, location } = openFixture('duckduckgo-tiles.html', HOMES.duckduckgo);
  const { payloads } = openFixture('duckduckgo-answer.json');
  const page = scan(document, payloads, location);
  assert.deepEqual([page.candidates.length, page.without_original_count], [2, 1]);
  assert.equal(page.state, 'partial');
});

// address, site: pages that hold nothing at all are still their site's
const EMPTY_PAGES = [
  ['https://www.google.co.uk/search?q=x&udm=2', 'google'],
  ['https://www.bing.com/images/search?q=x', 'bing'],
  ['https://duckduckgo.com/?q=x&t=h_&iar=images', 'duckduckgo'],
  ['https://yandex.com.tr/gorsel/search?text=x', 'generic'],
  ['https://ya.ru/images/search?text=x', 'yandex'],
  ['https://wappass.baidu.com/static/captcha/?x', 'baidu'],
  ['https://www.ecosia.org/images?q=x', 'ecosia'],
  ['https://www.ecosia.org/search?q=x', 'generic'],
  ['https://www.flickr.com/search/?text=x', 'flickr'],
  ['https://www.flickr.com/photos/ada/1/', 'generic'],
  ['https://unsplash.com/de/s/fotos/x', 'unsplash'],
  ['https://de.pinterest.com/search/pins/?q=x', 'pinterest'],
  ['https://www.pinterest.co.uk/pin/1/', 'pinterest'],
  ['https://pinterest.evil.example/', 'generic'],
  ['https://commons.wikimedia.org/w/index.php?search=x&title=Special:MediaSearch', 'wikimedia'],
  ['https://commons.wikimedia.org/wiki/File:Bird.jpg', 'generic'],
  ['https://openverse.org/de/search/image?q=x', 'openverse'],
];
for (const [address, engine] of EMPTY_PAGES) {
  test(`an empty page at ${address} is ${engine}’s`, () => {
    const { document, payloads, location } = openPage('', address);
    const page = scan(document, payloads, location);
    assert.equal(page.origin.engine, engine);
    assert.equal(page.state, address.includes('captcha') ? 'blocked' : 'nothing-found');
  });
}
