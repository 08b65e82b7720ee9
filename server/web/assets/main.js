/**
 * The start: one page at a time in `<main>`, by the hash; each gets a signal that ends it.
 */
import { emptyState, errorCard } from './components/notices.js';
import { Problem, SIGNED_OUT } from './lib/api.js';
import { h, replace } from './lib/dom.js';
import { readServer, signOut } from './lib/resources.js';
import { hashFor, isSamePage, parseHash } from './lib/router.js';
import { show as showClean } from './pages/clean.js';
import { show as showCredits } from './pages/credits.js';
import { show as showDataset } from './pages/dataset.js';
import { show as showHome } from './pages/home.js';
import { show as showImport } from './pages/import.js';
import { show as showImage } from './pages/image.js';
import { show as showInbox } from './pages/inbox.js';
import { show as showJob } from './pages/job.js';
import { show as showJobs } from './pages/jobs.js';
import { show as showModel } from './pages/model.js';
import { show as showSettings } from './pages/settings.js';
import { showSignIn } from './pages/sign-in.js';
import { show as showSnapshots } from './pages/snapshots.js';
import { show as showTry } from './pages/try.js';

/** @typedef {import('./lib/types.js').PageContext} PageContext */
/** @typedef {import('./lib/types.js').PageHandle} PageHandle */

/** @typedef {(context: PageContext) => Promise<PageHandle | void>} Show */

/** @type {Map<string, Show>} */
const PAGES = new Map(
  /** @type {[string, Show][]} */ ([
    ['home', showHome],
    ['datasets', showDataset],
    ['datasets/clean', showClean],
    ['datasets/credits', showCredits],
    ['datasets/import', showImport],
    ['datasets/inbox', showInbox],
    ['images', showImage],
    ['jobs', (context) => (context.route.id === null ? showJobs(context) : showJob(context))],
    ['models', showModel],
    ['settings', showSettings],
    ['snapshots', showSnapshots],
    ['try', showTry],
  ]),
);

const root = /** @type {HTMLElement} */ (document.getElementById('main'));
const account = /** @type {HTMLElement} */ (document.getElementById('account'));

let end = new AbortController();
let isSignedOut = false;
/** @type {import('./lib/types.js').Route | null} */
let shown = null;
/** @type {PageHandle} */
let handle = {};

/** Show what the address bar asks for: by the page that is there when only its filters differ. */
async function navigate() {
  const route = parseHash(location.hash);
  if (shown && isSamePage(shown, route) && handle.update) {
    shown = route;
    handle.update(route);
    return;
  }
  end.abort();
  const own = new AbortController();
  end = own;
  const isFirst = shown === null;
  shown = route;
  handle = {};
  markNavigation(route.page);
  root.setAttribute('aria-busy', 'true');
  await openPage(route, own.signal, isFirst);
  if (end === own) root.removeAttribute('aria-busy');
}

/**
 * @param {import('./lib/types.js').Route} route Where to.
 * @param {AbortSignal} signal Of the page.
 * @param {boolean} isFirst Whether the browser announces the page itself.
 */
async function openPage(route, signal, isFirst) {
  try {
    const opened = (await buildPage(route, signal)) ?? {};
    if (signal.aborted) return;
    handle = opened;
    isSignedOut = false;
    window.scrollTo(0, 0);
    if (!isFirst) root.querySelector('h1')?.focus({ preventScroll: true });
  } catch (error) {
    if (signal.aborted || (error instanceof Problem && error.status === 401)) return;
    replace(root, titleOnly('This page cannot be shown'), errorCard(error, restart));
  }
}

/**
 * @param {import('./lib/types.js').Route} route Where to.
 * @param {AbortSignal} signal Of the page.
 * @returns {Promise<PageHandle | void>} What the page gave back.
 */
async function buildPage(route, signal) {
  const page = PAGES.get(route.page);
  const needsId = !['home', 'jobs', 'settings', 'try'].includes(route.page);
  if (page && (route.id !== null || !needsId)) return page({ root, route, signal });
  replace(
    root,
    titleOnly('Not found'),
    emptyState('There is no such page', h('a', { href: hashFor('home') }, 'Go to the datasets')),
  );
  return undefined;
}

/**
 * @param {string} title Of a page that has nothing but a box under it.
 * @returns {HTMLElement} Its head.
 */
const titleOnly = (title) => h('header', { class: 'page-head' }, h('h1', { tabindex: -1 }, title));

/** @param {string} page Marked in the navigation. */
function markNavigation(page) {
  for (const link of document.querySelectorAll('nav.site a')) {
    const isCurrent = parseHash(link.getAttribute('href') ?? '').page === page;
    if (isCurrent) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** Build the page anew, as after signing in. */
function restart() {
  isSignedOut = false;
  shown = null;
  void navigate();
  void showAccount();
}

/** Show who is signed in, and the way out. */
async function showAccount() {
  try {
    const server = await readServer();
    const leave = () => void signOut().finally(showSignedOut);
    replace(
      account,
      h('span', { class: 'muted small' }, `v${server.version}`),
      h(
        'button',
        { type: 'button', class: 'button small', 'data-testid': 'sign-out', onclick: leave },
        'Sign out',
      ),
    );
  } catch {
    replace(account); // The page itself says what is wrong.
  }
}

/** Show the sign-in page, whatever the address bar says; after it one goes on where one was. */
function showSignedOut() {
  // Several requests may be refused at once; what is being typed must not be lost to the second.
  if (isSignedOut) return;
  isSignedOut = true;
  end.abort();
  handle = {};
  root.removeAttribute('aria-busy');
  replace(account);
  showSignIn(root, restart);
}

window.addEventListener('hashchange', () => void navigate());
document.addEventListener(SIGNED_OUT, showSignedOut);
// A fragment as its address would be taken for a page.
document.getElementById('skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  root.focus();
});
// A file that misses its zone must not replace the page.
for (const name of ['dragover', 'drop']) {
  window.addEventListener(name, (event) => event.preventDefault());
}
restart();
