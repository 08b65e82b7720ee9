/**
 * A document for the modules under test: import this before them.
 */
import { Window } from 'happy-dom';

/** What the pages use of a browser that Node lacks. Node's own fetch, AbortSignal and timers stay. */
const NAMES = [
  'document',
  'location',
  'HTMLElement',
  'HTMLSelectElement',
  'Node',
  'IntersectionObserver',
  'getComputedStyle',
];

/** The window; its address is where the server would be. */
export const window = new Window({ url: 'http://127.0.0.1:8000/' });

for (const name of NAMES) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
}
// Events must be of the document's own kind to be dispatched on it.
globalThis.Event = window.Event;
