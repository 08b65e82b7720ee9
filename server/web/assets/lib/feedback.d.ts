export type FeedbackState = 'new' | 'accepted' | 'dismissed';

/** What somebody said of an answer. */
export interface Feedback {
  id: string;
  dataset_id: string;
  model_id: string;
  sha256: string;
  /** Whether its picture lies in the inbox. */
  has_picture: boolean;
  is_right: boolean;
  /** The answer; null when the model abstained. */
  predicted: string | null;
  /** What somebody says that it is. */
  label: string | null;
  note: string | null;
  source_url: string | null;
  state: FeedbackState;
  /** What it became in the dataset. */
  image_id: string | null;
  created_at: string;
  decided_at: string | null;
}

/** What a person says of an answer. */
export interface Verdict {
  model_id: string;
  is_right: boolean;
  predicted: string | null;
  label: string | null;
}
