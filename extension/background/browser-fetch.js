/**
 * Gets, in the person's own session, the images that the server was refused, and sends it their bytes.
 * Which images that are is the server's word. How far a run has come is kept in the browser's session
 * storage, so that the popup may be closed and the worker evicted: the next one goes on.
 */
import { ServerProblem, messageOf } from '../lib/errors.js';
import { inLanes } from './lanes.js';
import { groupByHost, keepUnderstood, originsOf } from './obtainable.js';
import { NotObtained } from './session-image.js';

/** @typedef {import('../lib/browser-fetch.js').BrowserFetchOffer} BrowserFetchOffer */
/** @typedef {import('../lib/browser-fetch.js').BrowserFetchRun} BrowserFetchRun */
/** @typedef {import('../lib/browser-fetch.js').BrowserFetchWish} BrowserFetchWish */
/** @typedef {import('../lib/browser-fetch.js').FetchRefusal} FetchRefusal */
/** @typedef {import('../lib/browser-fetch.js').ObtainableImage} ObtainableImage */

/** Hosts at a time; with `PER_HOST` it bounds the memory: 8 images of 20 MiB at most. */
const HOSTS_AT_ONCE = 4;
/** As a page would, or less. */
const PER_HOST = 2;
/** Between two images of one lane: a person's account is at stake, not only a program's address. */
const PAUSE_MS = 300;
/** A worker that dies again and again does so for a reason. */
const MAX_RESUMPTIONS = 5;
/** Enough to name the hosts; the total is told beside it. */
const OFFER_LIMIT = 500;

/**
 * @typedef {object} BrowserFetchParts
 * @property {import('./session.js').Session} session The paired server.
 * @property {import('./session-image.js').SessionImages} images Fetches one image.
 * @property {import('./settings.js').StorageArea} area `ext.storage.session`: gone with the browser.
 * @property {(origins: string[]) => Promise<boolean>} isPermitted Whether hosts may be read.
 * @property {number} [pauseMs] Between two images of one lane.
 */

/** Fetches what the server was refused. */
export class BrowserFetch {
  /** @param {BrowserFetchParts} parts What it works with. */
  constructor(parts) {
    this.parts = parts;
    this.pauseMs = parts.pauseMs ?? PAUSE_MS;
    /**
     * What this worker is at; settles when it has ended.
     *
     * @type {Promise<void> | null}
     */
    this.work = null;
    /** The last of those who would begin: the popup and the browser's own event, both at once. */
    this.lastStart = Promise.resolve(/** @type {BrowserFetchRun | null} */ (null));
  }

  /**
   * Say what could be fetched for a dataset.
   *
   * @param {string} datasetId The dataset.
   * @returns {Promise<BrowserFetchOffer>} What is there, and how the last run went.
   * @throws {import('../lib/errors.js').BowerbirdError} As `Session.call`.
   */
  async offer(datasetId) {
    const query = new URLSearchParams({ obtainable: 'browser', limit: String(OFFER_LIMIT) });
    const path = `/datasets/${encodeURIComponent(datasetId)}/images?${query.toString()}`;
    /** @type {{items: ObtainableImage[], total: number}} */
    const reply = await this.parts.session.call({ path });
    const items = keepUnderstood(reply.items);
    const hosts = [...groupByHost(items)].map(async ([host, images]) => ({
      host,
      // Also of what the site sends on to its encrypted self; it is the same question.
      origins: [...new Set([...originsOf(images), `https://${host}/*`])],
      is_permitted: await this.parts.isPermitted(originsOf(images)),
      count: images.length,
    }));
    const statuses = items.map(({ reason, http_status: status }) =>
      reason === 'http-status' ? status : null,
    );
    const run = await this.readRun();
    return {
      total: items.length === 0 ? 0 : reply.total,
      hosts: (await Promise.all(hosts)).sort((a, b) => b.count - a.count),
      statuses: [...new Set(statuses)],
      run: run?.dataset_id === datasetId ? run : null,
    };
  }

  /** @returns {Promise<BrowserFetchRun | null>} The run at work, or the last one. */
  async readRun() {
    const { browser_fetch: run } = await this.parts.area.get({ browser_fetch: null });
    return /** @type {BrowserFetchRun | null} */ (run);
  }

  /**
   * Remember what the person asked for, before the browser asks them for the permission.
   *
   * @param {BrowserFetchWish | null} wish What to do once it is given; null for nothing any more.
   */
  async wish(wish) {
    // The dataset is on the server in use now; another may be by the time the person has answered.
    const kept = wish === null ? null : { ...wish, server: await this.#findServer() };
    await this.parts.area.set({ browser_fetch_wish: kept });
  }

  /** @returns {Promise<string>} Origin of the server in use. */
  async #findServer() {
    return (await this.parts.session.settings.read()).server;
  }

  /**
   * Do what the person asked for, now that a permission was given; once, whoever tells of it.
   *
   * @returns {Promise<BrowserFetchRun | null>} The run at work or the last one.
   */
  startWished() {
    const start = this.lastStart.then(() => this.#startWished());
    this.lastStart = start.catch(() => null);
    return start;
  }

  async #startWished() {
    const { browser_fetch_wish } = await this.parts.area.get({ browser_fetch_wish: null });
    const wish = /** @type {(BrowserFetchWish & {server: string}) | null} */ (browser_fetch_wish);
    // It may have been another permission, given for something else.
    if (wish === null || !(await this.parts.isPermitted(wish.origins))) return this.readRun();
    return this.start(wish);
  }

  /**
   * Begin a run, unless one is at work.
   *
   * @param {Pick<BrowserFetchRun, 'server' | 'dataset_id' | 'hosts'>} wish Which images.
   * @returns {Promise<BrowserFetchRun>} The run at work.
   */
  async start({ server, dataset_id, hosts }) {
    await this.wish(null);
    const present = await this.readRun();
    if (this.work !== null && present !== null) return present;
    /** @type {BrowserFetchRun} */
    const run = {
      server,
      dataset_id,
      hosts,
      is_running: true,
      resumed_count: 0,
      total: 0,
      obtained: 0,
      refused: [],
      error: null,
    };
    this.work = this.#work(run);
    await this.#write(run);
    return run;
  }

  /** Take up a run in whose middle the worker before this one has ended. */
  async resume() {
    const run = await this.readRun();
    if (run === null || !run.is_running || this.work !== null) return;
    run.resumed_count += 1;
    if (run.resumed_count > MAX_RESUMPTIONS) return this.#write({ ...run, is_running: false });
    // What was refused is asked once more: that is less to keep than each of them.
    this.work = this.#work({ ...run, refused: [] });
    await this.work;
  }

  /** @param {BrowserFetchRun} run What to do; says afterwards what came of it. */
  async #work(run) {
    try {
      const path = `/datasets/${encodeURIComponent(run.dataset_id)}/images`;
      /** @type {ObtainableImage[]} */
      const all = await this.parts.session.list(path, { obtainable: 'browser' }, run.server);
      const groups = [...groupByHost(keepUnderstood(all))].filter(([host]) =>
        run.hosts.includes(host),
      );
      const left = groups.reduce((sum, [, images]) => sum + images.length, 0);
      // What is no longer missing was sent, also by a worker that died before it had counted it.
      run.total = Math.max(run.total, run.obtained + left);
      run.obtained = run.total - left;
      await inLanes(HOSTS_AT_ONCE, groups, ([host, images]) => this.#fetchHost(run, host, images));
    } catch (error) {
      // The server is gone or does not know us: each further image would fail in the same way.
      run.error = messageOf(error);
    }
    run.is_running = false;
    await this.#write(run);
    this.work = null;
  }

  /**
   * Fetch the images of one host.
   *
   * @param {BrowserFetchRun} run The run they belong to.
   * @param {string} host The host.
   * @param {ObtainableImage[]} images Its images, one at least.
   */
  async #fetchHost(run, host, images) {
    if (!(await this.parts.isPermitted(originsOf(images)))) {
      addRefused(run, { host, reason: 'not-permitted', status: null, count: images.length });
      return this.#write(run);
    }
    await inLanes(PER_HOST, images, async (image, isFirst) => {
      if (!isFirst) await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
      try {
        await this.#obtain(run.server, image);
        run.obtained += 1;
      } catch (error) {
        if (!(error instanceof NotObtained)) throw error;
        addRefused(run, { host, reason: error.reason, status: error.status, count: 1 });
      }
      await this.#write(run);
    });
  }

  /**
   * Fetch one image and hand it to the server.
   *
   * @param {string} server Origin of the server.
   * @param {ObtainableImage} image Which one.
   * @throws {NotObtained} It could not be had, or the server found it of no use.
   */
  async #obtain(server, image) {
    const { blob, final_url } = await this.parts.images.fetch(image.url, {
      page: image.source_url,
      // An answer means that the server's guard let it through: the person listed that host.
      mayBePrivate: image.http_status !== null,
    });
    const form = new FormData();
    form.set('file', blob, 'image');
    form.set('via', 'browser');
    form.set('final_url', final_url);
    /** @type {{status: string}} */
    const settled = await this.#send(server, `/images/${encodeURIComponent(image.id)}/file`, form);
    if (settled.status === 'rejected') throw new NotObtained('not-an-image');
  }

  /**
   * Send bytes to the server.
   *
   * @template T
   * @param {string} server Origin of the server.
   * @param {string} path Where to.
   * @param {FormData} form The bytes.
   * @returns {Promise<T>} The server's answer.
   * @throws {NotObtained} The server does not take these bytes; it may take others.
   */
  async #send(server, path, form) {
    try {
      return await this.parts.session.call({ method: 'PUT', path, form }, server);
    } catch (error) {
      // Settled or undone meanwhile, or larger than this server allows.
      if (error instanceof ServerProblem && error.status < 500) throw new NotObtained('server');
      throw error;
    }
  }

  /** @param {BrowserFetchRun} run How far it is. */
  async #write(run) {
    await this.parts.area.set({ browser_fetch: run });
  }
}

/**
 * Count images that were not had.
 *
 * @param {BrowserFetchRun} run Where they are counted.
 * @param {import('../lib/browser-fetch.js').RefusedImages} refused Which, and why.
 */
function addRefused(run, refused) {
  const { host, reason, status, count } = refused;
  const same = run.refused.find(
    (each) => each.host === host && each.reason === reason && each.status === status,
  );
  if (same === undefined) run.refused.push(refused);
  else same.count += count;
}
