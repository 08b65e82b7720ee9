/** A link that lets others ask a dataset's live model; its address is shown once, when it is made. */
export interface Link {
  id: string;
  dataset_id: string;
  name: string;
  answers_per_hour: number;
  answers_per_day: number;
  does_keep: boolean;
  answer_count: number;
  is_expired: boolean;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
}

export interface NewLink extends Link {
  address: string;
}

export interface LinkWish {
  name: string;
  expires_at: string;
  answers_per_hour: number;
  answers_per_day: number;
  does_keep: boolean;
}

/** What a visitor is told of a model. */
export interface PublicModel {
  name: string;
  classes: string[];
  error_rate: number;
  error_rate_interval: [number, number];
  baseline_error_rate: number;
  train_count: number;
  valid_count: number;
  coverage: number;
  trained_at: string;
  card: string;
  kept: 'off' | 'counts' | 'images';
  answers_per_hour: number;
  max_image_bytes: number;
  expires_at: string;
}
