/**
 * The page that each test of a file has for itself: what it began ends with it, its document is empty again, and the
 * server is the real one.
 */
import { afterEach } from 'node:test';
import { window } from './dom.js';
import { endServer } from './server.js';

let end = new AbortController();

export const page = {
  /** Of this test's page. */
  get signal() {
    return end.signal;
  },
  /** Go elsewhere, as a person does before all has come. */
  leave: () => end.abort(),
};

afterEach(() => {
  end.abort();
  end = new AbortController();
  endServer();
  window.document.body.replaceChildren();
});
