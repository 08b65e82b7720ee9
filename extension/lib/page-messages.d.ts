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

export interface PageMessageMap {
  /** Whether marks are to be shown in this page without being asked for. */
  'read-overlay': { request: null; reply: { is_on: boolean } };
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
 * them; or just `tell`. The answer says whether they are shown.
 */
export interface OverlayOrder {
  overlay: 'follow' | 'show' | 'hide' | 'focus' | 'tell';
}
export interface OverlayState {
  is_shown: boolean;
}
