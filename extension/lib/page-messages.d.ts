/**
 * Every message between the background and our script in a page, in both directions. That script
 * shares its process with a page that may be hostile: requests are checked like a stranger's, and
 * replies hold nothing but what the marks in that page show.
 */

/** What a dataset has under an address. */
export interface Held {
  label: string | null;
  status: 'queued' | 'downloading' | 'ready' | 'rejected' | 'duplicate';
  excluded: boolean;
}

/** The same, for the address at a place of the list that was asked for. */
export interface HeldAt extends Held {
  index: number;
}

/** What a model says of an image. */
export interface Opinion {
  /** The likeliest class. */
  label: string;
  /** From 0 to 1. */
  probability: number;
  /** Whether the model would rather say that it shows none of its classes. */
  is_abstained: boolean;
}

/** The same, for the address at a place of the list that was asked for. */
export interface OpinionAt extends Opinion {
  index: number;
}

/** Whom and what a page's script asks the model for. */
export interface Asking {
  /** Tells one dataset of one server from another, and nothing else of them. */
  subject: string;
  /** What a capture of the page would be labelled with; empty when nothing suggests a label. */
  label: string;
}

/** What became of a question to the model; of images without an opinion nothing could be said. */
export type OpinionsReply =
  | { state: 'answered'; opinions: OpinionAt[] }
  | { state: 'busy'; retry_after_s: number }
  | { state: 'no-model' };

/** What the model's opinions of a page have come to, for the popup. */
export interface PageOpinions {
  subject: string;
  opinions: (Opinion & { url: string })[];
  /** `full`: as many were asked about as a page may. */
  trouble: 'no-model' | 'full' | null;
}

export interface PageMessageMap {
  /**
   * Whether marks are to be shown in this page without being asked for, and what the model is to be
   * asked for in any page that shows them; null for nothing.
   */
  'read-overlay': {
    request: { query: string | null };
    reply: { is_on: boolean; asking: Asking | null };
  };
  /** What the live model says of the images at these addresses, at most 8. */
  'ask-opinions': { request: { subject: string; urls: string[] }; reply: OpinionsReply };
  /** What the chosen dataset has of these addresses, at most 500. */
  'find-held': { request: { urls: string[] }; reply: HeldAt[] };
  /** Keep the image of an address out of snapshots, or take it back; null when there is none. */
  'exclude-image': { request: { url: string; is_excluded: boolean }; reply: Held | null };
}

export type PageMessageType = keyof PageMessageMap;
export type PageRequest<T extends PageMessageType> = PageMessageMap[T]['request'];
export type PageReply<T extends PageMessageType> = PageMessageMap[T]['reply'];
/** Without its reason, which would tell a page of the server. */
export type PageAnswer = { ok: true; reply: unknown } | { ok: false };

/**
 * What the background tells a page to do with its marks: `follow` the settings, which may have
 * changed, as may the dataset; `show` or `hide` them in this page alone; put the keyboard's focus on
 * them; or just `tell`. The answer says whether they are shown, and what the model said of what.
 */
export interface OverlayOrder {
  overlay: 'follow' | 'show' | 'hide' | 'focus' | 'tell';
}
export interface OverlayState {
  is_shown: boolean;
  /** Null where no model is asked. */
  opinions: PageOpinions | null;
}
