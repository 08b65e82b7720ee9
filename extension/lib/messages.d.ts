/** Every message that the extension's pages send to the background: its request and its reply. */
import type {
  AnswersHere,
  CaptureBody,
  CaptureOutcome,
  Candidate,
  Classification,
  Dataset,
  Export,
  ExtensionState,
  Filters,
  ListedServer,
  Model,
  PageOrigin,
  PageScan,
  QueuedCapture,
  SentCapture,
  Theme,
  Verdict,
} from './types.js';
import type { BrowserFetchOffer, BrowserFetchRun, BrowserFetchWish } from './browser-fetch.js';
import type { SerialisedError } from './errors.js';
import type { KeptModel } from '../inference/types.js';
import type { PageOpinions } from './page-messages.js';
import type { ScrollRequest, ScrollState } from './scroll.js';

export interface MessageMap {
  'read-state': { request: null; reply: ExtensionState };
  /** Ask whether our server answers at an address. */
  'check-server': { request: { server: string }; reply: { version: string } };
  /** The paired server, seen from this extension. */
  'compare-versions': { request: null; reply: 'older' | 'same' | 'newer' };
  pair: { request: { server: string; code: string }; reply: ExtensionState };
  /** End the pairing with a server: the active one when none is named. */
  unpair: { request: { server: string } | null; reply: ExtensionState };
  /** The servers that this browser knows, oldest first. */
  'list-servers': { request: null; reply: ListedServer[] };
  /** Make a known server the active one. */
  'choose-server': { request: { server: string }; reply: ExtensionState };
  /** Unpair a server and drop what was chosen there; captures for it stay until they are dropped. */
  'forget-server': { request: { server: string }; reply: ExtensionState };
  'scan-page': { request: { tab_id: number }; reply: PageScan };
  /** `offline` says why the list is only the last one seen. */
  'list-datasets': { request: null; reply: { datasets: Dataset[]; offline: string | null } };
  'create-dataset': { request: { name: string }; reply: Dataset };
  'choose-dataset': { request: { dataset_id: string }; reply: null };
  'set-filters': { request: { filters: Filters }; reply: null };
  'set-theme': { request: { theme: Theme }; reply: null };
  /** Read a search site's pages, or leave them alone; replies with the ids of those that are off. */
  'switch-site': { request: { site: string; is_on: boolean }; reply: string[] };
  'switch-overlay': { request: { is_on: boolean }; reply: null };
  /** All that is stored here, for the person. */
  'export-data': { request: null; reply: Export };
  /** What is sent for a capture that waits; null when it has gone out meanwhile. */
  'read-capture': { request: { capture_key: string }; reply: CaptureBody | null };
  /** Forget everything, and let the servers forget this browser. */
  'erase-data': { request: null; reply: null };
  /** Which of the addresses the dataset already has, by index. */
  'find-known': { request: { dataset_id: string; urls: string[] }; reply: number[] };
  capture: {
    request: {
      dataset: { id: string; name: string };
      label: string;
      origin: PageOrigin;
      candidates: Candidate[];
    };
    reply: CaptureOutcome;
  };
  /** Take a capture back that was sent, or what is left of it; replies with what was taken back. */
  'undo-capture': { request: { capture_key: string }; reply: SentCapture };
  'list-queue': { request: null; reply: QueuedCapture[] };
  'retry-queue': { request: null; reply: QueuedCapture[] };
  /** Drop one queued capture, or all of them. */
  'forget-captures': { request: { capture_key: string | null }; reply: QueuedCapture[] };
  /** What the server could not get of a dataset and this browser may. */
  'offer-browser-fetch': { request: { dataset_id: string }; reply: BrowserFetchOffer };
  /** Remember what to fetch once the browser has asked the person; null: nothing any more. */
  'wish-browser-fetch': { request: { wish: BrowserFetchWish | null }; reply: null };
  /** Do what was wished for, now that the person has permitted it. */
  'start-browser-fetch': { request: null; reply: BrowserFetchRun | null };
  /** Scroll a tab's page until so many images are found, then capture them. */
  'start-scroll': { request: ScrollRequest; reply: ScrollState };
  'stop-scroll': { request: { tab_id: number }; reply: ScrollState | null };
  /** The last run in a tab. */
  'read-scroll': { request: { tab_id: number }; reply: ScrollState | null };
  /** The person knows what came of a tab's last run. */
  'forget-scroll': { request: { tab_id: number }; reply: null };
  /** `sites`: the switch counts for all search sites; `page`: for this page, until it is left. */
  'read-page-overlay': {
    request: { tab_id: number };
    reply: { is_on: boolean; scope: 'sites' | 'page' };
  };
  'turn-page-overlay': {
    request: { tab_id: number; is_on: boolean };
    reply: { is_on: boolean; scope: 'sites' | 'page' };
  };
  'switch-opinions': { request: { is_on: boolean }; reply: null };
  /** What the model said of a tab's images; null where it is not asked, or about another dataset. */
  'read-opinions': {
    request: { tab_id: number; dataset_id: string };
    reply: PageOpinions | null;
  };
  /** Models kept in this browser, the newest first, and when they answer. */
  'list-kept-models': { request: null; reply: { mode: AnswersHere; models: KeptModel[] } };
  /** Say when they answer; unless never, fetches what is live and not kept. */
  'choose-answers': { request: { mode: AnswersHere }; reply: null };
  /** Keep what is live, and nothing else. */
  'refresh-kept-models': { request: null; reply: null };
  /** Forget one, or all. */
  'forget-kept-models': { request: { bundle_sha256: string | null }; reply: null };
  'list-live-models': { request: null; reply: Model[] };
  'classify-address': {
    request: { url: string; dataset_id: string | null };
    reply: Classification;
  };
  /** Bytes travel as a data: address, since Chromium's messages carry no binary data. */
  'classify-upload': {
    request: { data_url: string; dataset_id: string | null };
    reply: Classification;
  };
  /** Say what an answer was worth; `image` as it was asked about, an http(s) or data: address. */
  'give-feedback': { request: { image: string; verdict: Verdict }; reply: null };
}

export type MessageType = keyof MessageMap;
export type Request<T extends MessageType> = MessageMap[T]['request'];
export type Reply<T extends MessageType> = MessageMap[T]['reply'];
export type Handlers = { [T in MessageType]: (request: Request<T>) => Promise<Reply<T>> };

export interface Envelope {
  type: MessageType;
  request: unknown;
}
export type Answer = { ok: true; reply: unknown } | { ok: false; error: SerialisedError };
