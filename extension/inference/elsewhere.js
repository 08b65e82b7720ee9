/**
 * Where kept models run. Firefox's background is a page, which can. Chromium's is a worker, which can
 * neither import what it needs late nor is left alone for long: there a hidden page of ours does it.
 */
import { ext } from '../lib/browser.js';
import { reviveError } from '../lib/errors.js';

/** @typedef {import('./types.js').HereAnswer} HereAnswer */
/** @typedef {import('./types.js').KeptModel} KeptModel */
/** @typedef {import('../lib/errors.js').SerialisedError} SerialisedError */

const PAGE = 'inference/page.html';
/** What the hidden page listens to. */
export const RUN = 'run-kept-model';

/** @type {Promise<void> | null} Making the hidden page: two at once would be one too many. */
let opening = null;
/** @type {Promise<import('./runner.js').Runner> | null} */
let runner = null;

/**
 * @param {KeptModel} model Which model.
 * @param {string} dataUrl The image as a data: address, since messages carry no binary data.
 * @returns {Promise<HereAnswer>} What it says.
 * @throws {import('../lib/errors.js').BowerbirdError} The image or the model cannot be read.
 */
export async function runElsewhere(model, dataUrl) {
  if (!('offscreen' in ext)) return runInPage(model, dataUrl);
  opening ??= open().finally(() => {
    opening = null;
  });
  await opening;
  /** @type {{ok: true, reply: HereAnswer} | {ok: false, error: SerialisedError}} */
  const answer = await ext.runtime.sendMessage({
    type: RUN,
    request: { model, data_url: dataUrl },
  });
  if (answer.ok) return answer.reply;
  throw reviveError(answer.error);
}

/** Make the hidden page, unless there is one. */
async function open() {
  if (await ext.offscreen.hasDocument()) return;
  await ext.offscreen.createDocument({
    url: PAGE,
    reasons: [ext.offscreen.Reason.BLOBS],
    justification: 'Decodes an image and runs the model that the person keeps in this browser.',
  });
}

/**
 * Run a model in this page.
 *
 * @param {KeptModel} model Which model.
 * @param {string} dataUrl The image.
 * @returns {Promise<HereAnswer>} What it says.
 */
export async function runInPage(model, dataUrl) {
  runner ??= Promise.all([import('./runner.js'), import('./kept-store.js')]).then(
    ([{ Runner }, { keptStore }]) => new Runner(keptStore()),
  );
  const blob = await (await fetch(dataUrl)).blob();
  return (await runner).answer(model, blob);
}
