import './support/i18n.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameServer, parseServer, permissionFor } from '../../extension/lib/server-address.js';

// as typed, origin or null when it is refused
const TYPED = [
  ['http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
  [' http://127.0.0.1:8000/#/datasets ', 'http://127.0.0.1:8000'],
  ['localhost:8000', 'http://localhost:8000'],
  ['[::1]:8000', 'http://[::1]:8000'],
  ['https://birds.example', 'https://birds.example'],
  ['', null],
  ['ftp://127.0.0.1', null],
  ['http://user:secret@127.0.0.1', null],
  ['http://127.0.0.1:99999', null],
];
for (const [typed, expected] of TYPED) {
  test(`the server address “${typed}”`, () => {
    if (expected === null) assert.throws(() => parseServer(typed), { kind: 'bad-address' });
    else assert.equal(parseServer(typed), expected);
  });
}

test('permissions name a host, since patterns can’t name a port', () => {
  assert.equal(permissionFor('http://127.0.0.1:8000'), 'http://127.0.0.1/*');
});

// origin, its name where there is little room
const NAMED = [
  ['http://127.0.0.1:8720', ':8720'],
  ['http://localhost:8000', ':8000'],
  ['http://localhost', 'localhost'],
  ['https://birds.example', 'birds.example'],
  ['https://birds.example:8443', 'birds.example:8443'],
];
for (const [server, name] of NAMED) {
  test(`the server ${server} is called ${name}`, () => assert.equal(nameServer(server), name));
}
