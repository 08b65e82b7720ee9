/** Shapes of fetching in the person's own session what the server could not get. */

/** Why this browser did not get an image either. `server`: it did, but our server did not take it. */
export type FetchRefusal =
  | 'http-status'
  | 'too-large'
  | 'timeout'
  | 'connection'
  | 'private-address'
  | 'not-permitted'
  | 'not-an-image'
  | 'server';

/** What the server answers of an image that a browser may still get. */
export interface ObtainableImage {
  id: string;
  url: string;
  source_url: string | null;
  reason: string;
  /** Of the answer that the server got: its guard had let the request through. */
  http_status: number | null;
}

/** Images of one host. */
export interface ObtainableHost {
  host: string;
  /** What to ask the person for, as match patterns. */
  origins: string[];
  is_permitted: boolean;
  count: number;
}

/** Images of a dataset that the server could not get and this browser may. */
export interface BrowserFetchOffer {
  /** All of them; `hosts` and `statuses` speak of the first 500. */
  total: number;
  hosts: ObtainableHost[];
  /** What the server was answered, each once; null for a page in the image's place. */
  statuses: (number | null)[];
  /** The last run for this dataset since the browser was started. */
  run: BrowserFetchRun | null;
}

/** Images of one host that were not had for one reason. */
export interface RefusedImages {
  host: string;
  reason: FetchRefusal;
  status: number | null;
  count: number;
}

/** A run over a dataset's images, at work or ended. */
export interface BrowserFetchRun {
  /** Origin of the server that the dataset is on, and that the bytes go to. */
  server: string;
  dataset_id: string;
  hosts: string[];
  is_running: boolean;
  /** How often a worker was evicted or killed in the middle of it. */
  resumed_count: number;
  total: number;
  obtained: number;
  refused: RefusedImages[];
  /** Why it stopped before its end: the server went away. */
  error: string | null;
}

/** What the person wants, kept while the browser asks for the permission: the popup may close. */
export interface BrowserFetchWish {
  dataset_id: string;
  hosts: string[];
  /** The permissions that were asked for. */
  origins: string[];
}
