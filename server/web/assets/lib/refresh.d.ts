/** What is wished of a dataset by night. */
export interface RefreshWish {
  is_on: boolean;
  /** Of the server's local time. */
  hour: number;
  least_new_count: number;
}

export interface RefreshRun {
  id: string;
  state: 'waiting' | 'training' | 'compared' | 'skipped' | 'failed';
  is_asked: boolean;
  new_count: number | null;
  snapshot_id: string | null;
  job_id: string | null;
  model_id: string | null;
  sentence: string | null;
  created_at: string;
  finished_at: string | null;
}

export interface Refresh extends RefreshWish {
  new_count: number;
  runs: RefreshRun[];
}
