/**
 * Shapes that the extension's parts share. Fields that travel to or from the server keep the
 * server's snake_case names: there is no mapping layer.
 */
import type { CandidateList } from '../content/candidates.js';

/** An image address seen on a page, with what the page says of it. */
export interface Candidate {
  url: string;
  source_url: string | null;
  thumbnail_url: string | null;
  title: string | null;
  /** Declared or natural size in pixels; null where the page does not say. */
  width: number | null;
  height: number | null;
  /** Place on the page, from 0. */
  rank: number;
  license: string | null;
}

/** What an adapter found on a page. */
export interface Findings {
  candidates: Candidate[];
  /** Results that the page shows, whatever could be read of them. */
  tile_count: number;
  /** Results in the page's data: inline scripts, attributes and answers that its scripts got. */
  payload_count: number;
  /** What is no result of its own: repetitions, related collections, advertisements. */
  left_out_count: number;
  /** Results of which no original address is known, at most a thumbnail. */
  without_original_count: number;
}

/** Signs that a page is of one kind; any of them is enough. */
export interface PageMarks {
  /** Element that only such a page has. */
  selector?: string;
  /** Words that only such a page says. */
  text?: RegExp;
  /** Host and path that only such a page has. */
  address?: RegExp;
}

/**
 * One site adapter: pure functions of a document, the texts of answers that the site's own scripts
 * got since the page was loaded (scrolled results), and the page's address.
 */
export interface Adapter {
  id: string;
  /** The site's name for the person; null where there is no one site. */
  name: string | null;
  /** Host, path and query of the site's result pages, however little such a page holds. */
  home: RegExp | null;
  /** Marks of a page that asks for a proof of humanity, or refuses to answer. */
  blocked: PageMarks;
  /** Marks of a page that answers with nothing. */
  noResults: PageMarks;
  /** What a report counts: what the adapter looks for in the page, and in scripts and answers. */
  probes: {
    selectors: Readonly<Record<string, string>>;
    patterns: Readonly<Record<string, RegExp>>;
  };
  /** Whether the page has this site's shape, under whatever address. */
  matches(document: Document, payloads: string[]): boolean;
  /** `found` takes them, and which elements show them. */
  findCandidates(
    document: Document,
    payloads: string[],
    location: URL,
    found?: CandidateList,
  ): Findings;
}

/**
 * What became of reading a page. `partial`: results are there whose originals could not be found, so
 * the site may have changed. `nothing-found`: no sign of anything.
 */
export type ScanState = 'ok' | 'partial' | 'blocked' | 'no-results' | 'nothing-found';

/** Where and how candidates were found: what makes a capture traceable. */
export interface PageOrigin {
  engine: string;
  query: string | null;
  page_url: string;
  page_title: string;
}

/** A page as the popup sees it. */
export interface PageScan extends Findings {
  origin: PageOrigin;
  /** The site's name for the person; null on a page of no known site. */
  site: string | null;
  state: ScanState;
  /** How the page is built, when it could not be read well; null when it could. */
  report: PageReport | null;
  /** Addresses that the person left out by clicks in the page; missing where nobody saw it. */
  left_out_urls?: string[];
}

/** How a page is built, in counts, lengths and names of our own: nothing that the page says. */
export interface PageReport {
  /** Id of the adapter. */
  site: string;
  state: ScanState;
  /** Host and kind of path, never a query. */
  page: string;
  counts: {
    tiles: number;
    in_data: number;
    candidates: number;
    without_original: number;
    left_out: number;
  };
  /** How many elements each of the adapter's selectors finds … */
  selectors: Record<string, number>;
  /** … and which known attributes the first of them has. */
  attributes: Record<string, string>;
  /** Elements of kinds that every page has. */
  elements: Record<string, number>;
  scripts: { count: number; characters: number };
  answers: { count: number; characters: number };
  /** How often the adapter's patterns are found, by where. */
  patterns: Record<string, { in_scripts: number; in_answers: number }>;
}

export interface StatusCounts {
  queued: number;
  downloading: number;
  ready: number;
  rejected: number;
  duplicate: number;
}

export interface Dataset {
  id: string;
  name: string;
  counts: {
    total: number;
    excluded: number;
    status: StatusCounts;
    labels: Record<string, { total: number; ready: number }>;
  };
  live_model_id: string | null;
}

export interface Model {
  id: string;
  dataset_id: string;
  stage: string;
  classes: string[];
  bundle_sha256: string;
  created_at: string;
}

/** The body of `POST /datasets/{id}/captures`. */
export interface CaptureBody extends PageOrigin {
  capture_key: string;
  label: string;
  captured_at: string;
  client: string;
  candidates: Candidate[];
}

export interface CaptureReply {
  capture_id: string;
  added: number;
  known: number;
  refused: { index: number; reason: string; detail?: string }[];
}

/**
 * A capture on its way, or a part of it: the server takes no more than 1000 candidates at once. What
 * is sent, the `CaptureBody`, is kept beside it under the same key.
 */
export interface QueueEntry {
  capture_key: string;
  /** The `capture_key` of the first part: what parts of one capture share. */
  group_key: string;
  /** The server it was made for: it is sent to no other. */
  server: string;
  dataset_id: string;
  dataset_name: string;
  label: string;
  candidate_count: number;
  /** `queued` is retried by itself; `refused` needs the person. */
  state: 'queued' | 'refused';
  attempt_count: number;
  /** Earliest next attempt, milliseconds since 1970. */
  next_attempt_at_ms: number;
  error: string | null;
}

/** A capture that waits, its parts summed up: what the popup lists. */
export interface QueuedCapture {
  /** Of its first part. */
  capture_key: string;
  dataset_name: string;
  label: string;
  candidate_count: number;
  state: QueueEntry['state'];
  attempt_count: number;
  error: string | null;
}

/** A part of a capture that the server acknowledged. */
export interface SentPart
  extends
    CaptureReply,
    Pick<
      QueueEntry,
      'capture_key' | 'group_key' | 'server' | 'dataset_id' | 'dataset_name' | 'label'
    > {}

/** A capture that the server acknowledged, its parts summed up. */
export interface SentCapture {
  /** Of its first part. */
  capture_key: string;
  server: string;
  dataset_id: string;
  dataset_name: string;
  label: string;
  added: number;
  known: number;
  refused: { reason: string }[];
}

/** What became of a capture by the time the popup was answered. */
export type CaptureOutcome =
  { state: 'sent'; capture: SentCapture } | { state: 'queued' | 'refused'; error: string };

/** When models that are kept in this browser answer: never, while the server is away, or always. */
export type AnswersHere = 'off' | 'away' | 'always';

export interface Classification {
  model_id: string;
  dataset_id: string;
  label: string | null;
  probability: number;
  abstained: boolean;
  threshold: number | null;
  predictions: { label: string; probability: number }[];
  milliseconds: number;
  sha256: string;
  /** Filled in by the background, for the person. */
  dataset_name: string | null;
  /** Whether this browser answered, by a kept model. */
  is_here?: boolean;
}

/** What a person says of an answer. */
export interface Verdict {
  model_id: string;
  sha256: string;
  is_right: boolean;
  /** The answer; null when the model abstained. */
  predicted: string | null;
  /** What it is; null when that is not said, or it is none of the classes. */
  label: string | null;
}

export interface Pairing {
  token: string;
  token_id: string;
  name: string;
  server_version: string;
}

/** What to leave out of what pages hold, by declared sizes. */
export interface Filters {
  /** Shorter side, at least. */
  min_side_px: number;
  /** `moderate`: neither banner nor column. */
  shape: 'any' | 'moderate' | 'landscape' | 'square' | 'portrait';
}

/** A server that this browser was paired with, and what was chosen there. */
export interface KnownServer {
  /** Its origin. */
  url: string;
  pairing: Pairing | null;
  /** True when the server refused the token: "not paired any more", not "never paired". */
  is_pairing_lost: boolean;
  dataset_id: string | null;
  /** The label last used in each dataset, by dataset id. */
  last_labels: Record<string, string>;
  /** The datasets as last seen, to capture into while the server is down. */
  datasets: Dataset[];
}

export type Theme = 'auto' | 'light' | 'dark';

/** Everything kept in `storage.local`; each field is its own key. */
export interface StoredSettings {
  /** Shape of the stored fields: revisions.js migrates from earlier ones. */
  revision: 2;
  /** Origin of the active server, which need not be among the known ones yet. */
  server: string;
  servers: KnownServer[];
  /** The label chosen for each query, newest last. */
  query_labels: Record<string, string>;
  filters: Filters;
  /** Ids of the search sites that are left alone: no badge, no marks, nothing read ahead. */
  sites_off: string[];
  theme: Theme;
  /** Whether pages show which of their images the dataset has. */
  is_overlay_on: boolean;
  /** Whether the live model is asked about the images that are marked: their addresses are sent. */
  is_model_asked: boolean;
  answers_here: AnswersHere;
}

/** As the background works with it: what belongs to the active server lies among the rest. */
export type Settings = StoredSettings & Omit<KnownServer, 'url'>;

/** The part of the settings that pages may see: never a token. */
export type ExtensionState = Omit<Settings, 'revision' | 'pairing' | 'datasets' | 'servers'> & {
  pairing: { name: string; server_version: string } | null;
  /** What undo takes back: the last capture that added something. */
  last_capture: SentCapture | null;
};

/** A known server as pages list it. */
export interface ListedServer {
  url: string;
  is_active: boolean;
  /** How the server names this browser; null without a pairing. */
  paired_as: string | null;
  is_pairing_lost: boolean;
  /** Images that wait here for this server. */
  waiting_count: number;
}

/** All that this browser stores, for the person: tokens are left out. */
export interface Export {
  settings: Omit<StoredSettings, 'servers'> & {
    servers: (Omit<KnownServer, 'pairing'> & {
      pairing: { name: string; server_version: string } | null;
    })[];
  };
  waiting: QueueEntry[];
  sent: SentPart[];
}
