/** What each part of the options page knows of the rest. */
export interface Page {
  /** Run an action and show its error. */
  report(run: () => Promise<void>): Promise<void>;
  /** Tell the person what was done. */
  say(tone: 'good' | 'plain' | 'bad', sentence: string): void;
  /** Show everything as it is now. */
  refresh(): Promise<void>;
}
