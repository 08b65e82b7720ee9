/** What scrolling and capturing consists of, and what its two sides say to each other over a port. */
import type { Candidate, CaptureOutcome, Filters, PageOrigin } from './types.js';

/** Why it ended. */
export type ScrollEnd =
  | 'goal'
  /** The page has no more. */
  | 'end'
  /** The page grows, but with nothing that was not seen before. */
  | 'nothing-new'
  | 'blocked'
  /** By the person: Esc, or one of the buttons. */
  | 'stopped'
  | 'query-changed'
  /** Its tab was closed, went elsewhere or crashed. */
  | 'page-left'
  | 'hidden-too-long'
  | 'time-cap'
  | 'step-cap'
  | 'seen-cap'
  /** The page could not be read any more. */
  | 'failed';

/** `hidden`: it waits, since browsers slow down pages that nobody sees. */
export type ScrollPhase = 'running' | 'hidden' | 'capturing' | 'ended';

/** What the person asks for. */
export interface ScrollRequest {
  tab_id: number;
  goal_count: number;
  dataset: { id: string; name: string };
  label: string;
}

/** One run as the popup and the page's panel see it. */
export interface ScrollState {
  run_id: string;
  phase: ScrollPhase;
  goal_count: number;
  /** What was found so far, passes the filters and is not left out; at most the goal. */
  count: number;
  dataset_name: string;
  label: string;
  /** Null while it goes on. */
  end: ScrollEnd | null;
  /** Null until it has ended, and when there was nothing to capture. */
  outcome: CaptureOutcome | null;
  /** Why what was found could not be captured so far. */
  error: string | null;
}

/** One run as it is kept: it outlives the worker, the tab and the browser. */
export interface ScrollRun extends ScrollState {
  tab_id: number;
  dataset_id: string;
  origin: PageOrigin;
  /** The server that the dataset is on. */
  server: string;
  filters: Filters;
  /** How many are kept, those that are left out included: they may be taken back. */
  found_count: number;
  /** Addresses that the person left out by clicks in the page. */
  left_out: string[];
  /** What the capture's keys are made of, from the moment on in which it is made. */
  seed: string | null;
  /** When something was last heard of it, milliseconds since 1970. */
  heard_at_ms: number;
}

/** What the page's side says; each message is answered under its `id`. */
export type ScrollReport =
  /** It is there, for the first time or again. */
  | { type: 'hello'; id: number; run_id: string | null }
  | {
      type: 'found';
      id: number;
      phase: 'running' | 'hidden';
      candidates: Candidate[];
      /** What the person leaves out by now, whether found before or not; null: as told before. */
      left_out: string[] | null;
    }
  | { type: 'end'; id: number; end: ScrollEnd };

/** What the background says: answers, and one order that answers nothing. */
export type ScrollAnswer =
  | { type: 'state'; id: number; state: ScrollState }
  /** Its run is over, or there never was one. */
  | { type: 'gone'; id: number };
export type ScrollOrder = ScrollAnswer | { type: 'stop' };

/** The background's end of a port to a page, as far as it is used. */
export interface PagePort {
  postMessage(order: ScrollOrder): void;
  onMessage: { addListener(listener: (message: unknown) => void): void };
  /** Told when the page is gone. */
  onDisconnect: { addListener(listener: () => void): void };
}
