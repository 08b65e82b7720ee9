/**
 * What can be asked of the server, one line a route, with its types. The request itself is api.js's.
 */
import { apiUrl, request, requestHead } from './api.js';
import { postFile } from './upload.js';

/** @typedef {import('./types.js').Dataset} Dataset */
/** @typedef {import('./types.js').Image} Image */
/** @typedef {AbortSignal | undefined} Signal */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Query */
/**
 * @template T
 * @typedef {import('./types.js').Page<T>} Page
 */

/** The largest page that the server gives. */
export const MAX_PAGE = 500;

/**
 * @template T
 * @param {string} path Under the API's prefix.
 * @param {Signal} [signal] Stops the request.
 * @param {Query} [query] Query parameters.
 * @returns {Promise<T>} The answer, taken at its word: the server validates what it sends.
 */
const read = (path, signal, query) =>
  /** @type {Promise<T>} */ (request('GET', apiUrl(path, query), { signal }));

/**
 * @template T
 * @param {string} method An HTTP method.
 * @param {string} path Under the API's prefix.
 * @param {unknown} [json] The body.
 * @returns {Promise<T>} The answer.
 */
const send = (method, path, json) =>
  /** @type {Promise<T>} */ (request(method, apiUrl(path), json === undefined ? {} : { json }));

// Sign-in and tokens
export const signIn = (/** @type {string} */ token) =>
  request('POST', apiUrl('/session'), { json: { token }, isSignIn: true });
export const signOut = () => send('DELETE', '/session');
/** @type {(signal?: Signal) => Promise<import('./types.js').Server>} */
export const readServer = (signal) => read('/server', signal);
/** @type {(signal?: Signal) => Promise<import('./types.js').Disk>} */
export const readDisk = (signal) => read('/server/disk', signal);
/** @type {(signal?: Signal) => Promise<Page<import('./types.js').Token>>} */
export const listTokens = (signal) => read('/tokens', signal);
export const revokeToken = (/** @type {string} */ id) => send('DELETE', `/tokens/${id}`);
/** @type {(name: string) => Promise<{id: string, name: string, token: string}>} */
export const createToken = (name) => send('POST', '/tokens', { name });
/** @type {() => Promise<import('./types.js').Pairing>} */
export const openPairing = () => send('POST', '/pairings');

// Datasets and labels
/** @type {(signal?: Signal) => Promise<Page<Dataset>>} */
export const listDatasets = (signal) => read('/datasets', signal, { limit: MAX_PAGE });
/** @type {(id: string, signal?: Signal) => Promise<Dataset>} */
export const readDataset = (id, signal) => read(`/datasets/${id}`, signal);
/** @type {(body: {name: string, description?: string}) => Promise<Dataset>} */
export const createDataset = (body) => send('POST', '/datasets', body);
/** @type {(id: string, change: {name?: string, description?: string}) => Promise<Dataset>} */
export const changeDataset = (id, change) => send('PATCH', `/datasets/${id}`, change);
export const deleteDataset = (/** @type {string} */ id) => send('DELETE', `/datasets/${id}`);
/** @type {(datasetId: string, name: string) => Promise<import('./types.js').Label>} */
export const createLabel = (datasetId, name) =>
  send('POST', `/datasets/${datasetId}/labels`, { name });
/** @type {(datasetId: string, signal?: Signal) => Promise<Page<import('./types.js').Capture>>} */
export const listCaptures = (datasetId, signal) => read(`/datasets/${datasetId}/captures`, signal);
export const undoCapture = (/** @type {string} */ id) => send('DELETE', `/captures/${id}`);

// Images
/** @type {(datasetId: string, query: Query, signal?: Signal) => Promise<Page<Image>>} */
export const listImages = (datasetId, query, signal) =>
  read(`/datasets/${datasetId}/images`, signal, query);
/** @type {(datasetId: string, sha256: string, signal?: Signal) => Promise<Image | undefined>} */
export const findImage = async (datasetId, sha256, signal) =>
  (await listImages(datasetId, { sha256, status: 'ready', limit: 1 }, signal)).items[0];
/** @type {(id: string, signal?: Signal) => Promise<Image>} */
export const readImage = (id, signal) => read(`/images/${id}`, signal);
/** @type {(datasetId: string, body: {ids: string[], set: import('./types.js').ImageChange, versions?: Record<string, number>}) => Promise<import('./types.js').BulkAnswer>} */
export const changeImages = (datasetId, body) =>
  send('POST', `/datasets/${datasetId}/images/bulk`, body);
/** @type {(datasetId: string, step: 'undo' | 'redo', actionId?: string) => Promise<import('./types.js').UndoAnswer>} */
export const stepActions = (datasetId, step, actionId) =>
  send('POST', `/datasets/${datasetId}/${step}`, actionId ? { action_id: actionId } : {});
/** @type {(id: string, signal?: Signal) => Promise<{items: import('./types.js').HistoryEntry[]}>} */
export const readHistory = (id, signal) => read(`/images/${id}/history`, signal);
/** @type {(datasetId: string, signal?: Signal) => Promise<import('./types.js').Facets>} */
export const readFacets = (datasetId, signal) => read(`/datasets/${datasetId}/facets`, signal);
/** @type {(datasetId: string, query: Query, signal?: Signal) => Promise<Page<import('./types.js').Stack>>} */
export const listStacks = (datasetId, query, signal) =>
  read(`/datasets/${datasetId}/stacks`, signal, query);
/** @type {(datasetId: string, query: Query, signal?: Signal) => Promise<Page<import('./types.js').Conflict>>} */
export const listConflicts = (datasetId, query, signal) =>
  read(`/datasets/${datasetId}/conflicts`, signal, query);
/** @type {(datasetId: string, which: {reason?: string, host?: string}) => Promise<{queued: number}>} */
export const retryImages = (datasetId, which) =>
  send('POST', `/datasets/${datasetId}/images/retry`, which);
/** @type {(datasetId: string, form: FormData, signal?: Signal) => Promise<Image>} */
export const uploadImage = (datasetId, form, signal) =>
  /** @type {Promise<Image>} */ (
    request('POST', apiUrl(`/datasets/${datasetId}/images`), { form, signal })
  );
/** @type {(datasetId: string, file: Blob, options: {isDryRun: boolean, onSent: (sent: import('./upload.js').Sent) => void, signal: AbortSignal}) => Promise<import('./types.js').ImportReport>} */
export const importFile = (datasetId, file, { isDryRun, onSent, signal }) =>
  /** @type {Promise<import('./types.js').ImportReport>} */ (
    postFile(apiUrl(`/datasets/${datasetId}/imports`, { dry_run: isDryRun }), file, {
      onSent,
      signal,
    })
  );
export const fileUrl = (/** @type {string} */ id) => apiUrl(`/images/${id}/file`);
export const thumbnailUrl = (/** @type {string} */ id) => apiUrl(`/images/${id}/thumbnail`);

/** @type {(datasetId: string, query: Query, signal?: Signal) => Promise<Page<import('./types.js').Credit>>} */
export const listCredits = (datasetId, query, signal) =>
  read(`/datasets/${datasetId}/credits`, signal, query);

// Sites
/** @type {(body: {site: string, dataset_id: string | null, dry_run: boolean, block: boolean}) => Promise<import('./types.js').Removal>} */
export const removeSite = (body) => send('POST', '/sites/removal', body);
/** @type {(query: Query, signal?: Signal) => Promise<Page<import('./types.js').PastRemoval>>} */
export const listRemovals = (query, signal) => read('/sites/removals', signal, query);
/** @type {(signal?: Signal) => Promise<{items: {site: string, blocked_at: string}[]}>} */
export const listBlockedSites = (signal) => read('/sites/blocked', signal);
export const unblockSite = (/** @type {string} */ site) =>
  send('DELETE', `/sites/blocked/${encodeURIComponent(site)}`);

// Training and models
/** @type {(datasetId: string, body: {valid_ratio?: number, seed?: number}) => Promise<import('./types.js').Snapshot>} */
export const createSnapshot = (datasetId, body) =>
  send('POST', `/datasets/${datasetId}/snapshots`, body);
/** @type {(id: string, signal?: Signal) => Promise<import('./types.js').Snapshot>} */
export const readSnapshot = (id, signal) => read(`/snapshots/${id}`, signal);
/** @type {(datasetId: string, signal?: Signal) => Promise<Page<import('./types.js').Snapshot>>} */
export const listSnapshots = (datasetId, signal) =>
  read(`/datasets/${datasetId}/snapshots`, signal, { limit: MAX_PAGE });
/** @type {(a: string, b: string, signal?: Signal) => Promise<import('./types.js').SnapshotDiff>} */
export const diffSnapshots = (a, b, signal) => read(`/snapshots/${a}/diff/${b}`, signal);
/** @type {(id: string, format: string, shard?: number | null) => string} */
export const exportUrl = (id, format, shard = null) =>
  apiUrl(`/snapshots/${id}/export`, { format, shard });
/** @type {(id: string, signal?: Signal) => Promise<{items: {format: string, shards: number}[]}>} */
export const listExports = (id, signal) => read(`/snapshots/${id}/exports`, signal);
/**
 * How large an export is, and the tag of its bytes, which never change under one tag.
 * @param {string} url From {@link exportUrl}.
 * @param {Signal} [signal] Stops the request.
 * @returns {Promise<{size_bytes: number, etag: string}>} Both; the tag without its quotes.
 */
export async function readExport(url, signal) {
  const headers = await requestHead(url, signal);
  const etag = (headers.get('ETag') ?? '').replaceAll('"', '');
  return { size_bytes: Number(headers.get('Content-Length') ?? 0), etag };
}
/** @type {(snapshotId: string, recipe: Record<string, unknown> & {kind: string}) => Promise<import('./types.js').Job>} */
export const createJob = (snapshotId, recipe) =>
  send('POST', `/snapshots/${snapshotId}/jobs`, { recipe });
/** @type {(id: string, signal?: Signal) => Promise<import('./types.js').Job>} */
export const readJob = (id, signal) => read(`/jobs/${id}`, signal);
/** @type {(dataset: string | null, signal?: Signal) => Promise<Page<import('./types.js').Job>>} */
export const listJobs = (dataset, signal) => read('/jobs', signal, { dataset });
export const cancelJob = (/** @type {string} */ id) => send('POST', `/jobs/${id}/cancel`);
/** @type {(query: Query, signal?: Signal) => Promise<Page<import('./types.js').Model>>} */
export const listModels = (query, signal) => read('/models', signal, query);
/** @type {(id: string, signal?: Signal) => Promise<import('./types.js').ModelWithEvaluation>} */
export const readModel = (id, signal) => read(`/models/${id}`, signal);
/** @type {(id: string, signal?: Signal) => Promise<import('./types.js').PredictionCounts>} */
export const readPredictionCounts = (id, signal) => read(`/models/${id}/prediction-counts`, signal);
/** @type {(id: string, signal?: Signal) => Promise<import('./types.js').Drift>} */
export const readDrift = (id, signal) => read(`/models/${id}/drift`, signal);
export const forgetPredictions = (/** @type {string} */ id) =>
  send('DELETE', `/models/${id}/predictions`);
/** @type {(id: string, stage: import('./types.js').Stage, reason?: string) => Promise<import('./types.js').Model>} */
export const stageModel = (id, stage, reason) =>
  send('POST', `/models/${id}/stage`, { stage, ...(reason ? { force: true, reason } : {}) });
/** @type {(id: string, stage: 'shadow' | 'limited', rollout: import('./types.js').RolloutRules) => Promise<import('./types.js').Model>} */
export const startRollout = (id, stage, rollout) =>
  send('POST', `/models/${id}/stage`, { stage, rollout });
/** @type {(datasetId: string, query: Query, signal?: Signal) => Promise<Page<import('./types.js').Rollout>>} */
export const listRollouts = (datasetId, query, signal) =>
  read(`/datasets/${datasetId}/rollouts`, signal, query);
/** @type {(id: string, query: Query, signal?: Signal) => Promise<Page<import('./types.js').Disagreement>>} */
export const listDisagreements = (id, query, signal) =>
  read(`/rollouts/${id}/disagreements`, signal, query);
export const predictionFileUrl = (/** @type {string} */ id) => apiUrl(`/predictions/${id}/file`);
/** @type {(datasetId: string, query: Query, signal?: Signal) => Promise<Page<import('./types.js').StageChange>>} */
export const listStageChanges = (datasetId, query, signal) =>
  read(`/datasets/${datasetId}/stage-changes`, signal, query);
/** @type {(datasetId: string) => Promise<import('./types.js').Model>} */
export const rollBack = (datasetId) => send('POST', `/datasets/${datasetId}/rollback`, {});
/** @type {(datasetId: string, query: Query, signal?: Signal) => Promise<import('./types.js').Suspicions>} */
export const listSuspicions = (datasetId, query, signal) =>
  read(`/datasets/${datasetId}/suspicions`, signal, query);
/** @type {(id: string, before: string, signal?: Signal) => Promise<import('./types.js').Comparison>} */
export const compareModels = (id, before, signal) =>
  read(`/models/${id}/comparison`, signal, { before });
export const bundleUrl = (/** @type {string} */ id) => apiUrl(`/models/${id}/bundle`);

// Nightly refresh
/** @type {(datasetId: string, signal?: Signal) => Promise<import('./refresh.js').Refresh>} */
export const readRefresh = (datasetId, signal) => read(`/datasets/${datasetId}/refresh`, signal);
/** @type {(datasetId: string, wish: import('./refresh.js').RefreshWish) => Promise<import('./refresh.js').Refresh>} */
export const saveRefresh = (datasetId, wish) => send('PUT', `/datasets/${datasetId}/refresh`, wish);
/** @type {(datasetId: string) => Promise<import('./refresh.js').RefreshRun>} */
export const runRefresh = (datasetId) => send('POST', `/datasets/${datasetId}/refresh/run`);

// Links for others
/** @type {(datasetId: string, signal?: Signal) => Promise<{items: import('./links.js').Link[]}>} */
export const listLinks = (datasetId, signal) => read(`/datasets/${datasetId}/links`, signal);
/** @type {(datasetId: string, wish: import('./links.js').LinkWish) => Promise<import('./links.js').NewLink>} */
export const createLink = (datasetId, wish) => send('POST', `/datasets/${datasetId}/links`, wish);
export const revokeLink = (/** @type {string} */ datasetId, /** @type {string} */ id) =>
  send('DELETE', `/datasets/${datasetId}/links/${id}`);

// Feedback
/** @typedef {import('./feedback.js').Feedback} Feedback */
/** @type {(datasetId: string, query: Query, signal?: Signal) => Promise<Page<Feedback>>} */
export const listFeedback = (datasetId, query, signal) =>
  read(`/datasets/${datasetId}/feedback`, signal, query);
/** @type {(id: string, label: string | null) => Promise<Feedback>} */
export const acceptFeedback = (id, label) => send('POST', `/feedback/${id}/accept`, { label });
/** @type {(id: string) => Promise<Feedback>} */
export const dismissFeedback = (id) => send('POST', `/feedback/${id}/dismiss`);
/** @type {(id: string) => Promise<Feedback>} */
export const reopenFeedback = (id) => send('POST', `/feedback/${id}/reopen`);
export const feedbackFileUrl = (/** @type {string} */ id) => apiUrl(`/feedback/${id}/file`);

/**
 * Say what an answer was worth.
 * @param {{file: Blob} | {url: string}} source The picture itself, or where it is.
 * @param {import('./feedback.js').Verdict} verdict What is said.
 * @returns {Promise<Feedback>} As it waits.
 */
export function giveFeedback(source, verdict) {
  const form = new FormData();
  for (const [name, value] of Object.entries(verdict)) {
    if (value !== null) form.set(name, String(value));
  }
  if ('file' in source) form.set('file', source.file);
  else form.set('url', source.url);
  return /** @type {Promise<Feedback>} */ (request('POST', apiUrl('/feedback'), { form }));
}

/**
 * Ask what an image shows.
 * @param {{file: Blob} | {url: string}} source The picture itself, or where it is.
 * @param {string | null} model Which model; null for the newest live one.
 * @param {Signal} [signal] Stops the request.
 * @param {number | null} [evidence] How many of the nearest training images to show with it.
 * @returns {Promise<import('./types.js').Classification>} The model's answer.
 */
export function classify(source, model, signal, evidence = null) {
  const url = apiUrl('/classify', { model, evidence });
  const form = new FormData();
  if ('file' in source) form.set('file', source.file);
  const body = 'file' in source ? { form } : { json: { url: source.url } };
  return /** @type {Promise<import('./types.js').Classification>} */ (
    request('POST', url, { ...body, signal })
  );
}
