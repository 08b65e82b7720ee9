/**
 * Runs the extension's adapters outside a browser: the file on stdin, its address as the argument,
 * the scan as JSON on stdout. Nothing of the page is run, and nothing loaded from the network.
 *
 * Exit codes besides 0: 3 no DOM is installed, 4 this Node.js is too old, 1 everything else.
 */
import process from 'node:process';
import { URL } from 'node:url';

const EXIT_NO_DOM = 3;
const EXIT_OLD_NODE = 4;
const OLDEST_NODE = 20;

/** A page begins with markup; everything else is an answer that a page's script got. */
const MARKUP = /^[\s\uFEFF]*</;

if (parseInt(process.versions.node, 10) < OLDEST_NODE) process.exit(EXIT_OLD_NODE);
const [, , address = ''] = process.argv;
const text = await readInput();
const isPage = MARKUP.test(text);
const document = await openDocument(isPage ? text : '', address);
const { scan } = await import('../../extension/content/sites/index.js');
const page = scan(document, isPage ? [] : [text], new URL(address));
// What waits in happy-dom's window must not keep us: exit once the answer is out.
process.stdout.write(JSON.stringify(page), () => process.exit(0));

/**
 * Read stdin to its end.
 *
 * @returns {Promise<string>} Its text; the caller has bounded it.
 */
async function readInput() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return chunks.map(String).join('');
}

/**
 * Parse markup.
 *
 * @param {string} html Markup; may be empty, which needs no parser.
 * @param {string} url Address of the page.
 * @returns {Promise<Document>} What an adapter takes.
 */
async function openDocument(html, url) {
  if (html === '') return emptyDocument();
  const { Window } = await loadDom();
  const window = new Window({
    url,
    settings: {
      disableJavaScriptFileLoading: true,
      handleDisabledFileLoadingAsSuccess: true,
      navigation: { disableMainFrameNavigation: true, disableChildFrameNavigation: true },
    },
  });
  window.document.write(html);
  // There is no layout here, and computing styles takes hours where a page means harm.
  Object.defineProperty(window.document, 'defaultView', { value: null });
  return window.document;
}

/**
 * Load the DOM, which is no part of Bowerbird.
 *
 * @returns {Promise<typeof import('happy-dom')>} The package.
 */
async function loadDom() {
  try {
    return await import('happy-dom');
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') process.exit(EXIT_NO_DOM);
    throw error;
  }
}

/**
 * Play an empty page, for answers that come without one.
 *
 * @returns {Document} As much of it as adapters ask for.
 */
function emptyDocument() {
  return {
    title: '',
    body: null,
    defaultView: null,
    querySelector: () => null,
    querySelectorAll: () => [],
  };
}
