// The shapes that the REST API answers with (docs: /openapi.json). JSON names are used as they are.

import type { Analysis } from './analysis.js';

export type Status = 'queued' | 'downloading' | 'ready' | 'rejected' | 'duplicate';
export type ObtainedBy = 'server' | 'browser' | 'cached-copy' | 'upload';
export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
export type Stage = 'candidate' | 'shadow' | 'limited' | 'live' | 'retired';

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
  total: number;
}

export interface LabelCount {
  total: number;
  ready: number;
}

export interface Dataset {
  id: string;
  name: string;
  description: string | null;
  created_at: string;
  counts: {
    total: number;
    excluded: number;
    status: Record<Status, number>;
    labels: Record<string, LabelCount>;
  };
  live_model_id: string | null;
}

export interface Label extends LabelCount {
  id: string;
  name: string;
  dataset_id: string;
}

export interface Sighting {
  capture_id: string;
  engine: string | null;
  query: string | null;
  page_url: string | null;
  page_title: string | null;
  rank: number | null;
  captured_at: string;
  source_url: string | null;
  title: string | null;
}

/** How an image looks: luminance at its brightest and darkest hundredth (0 to 1), sharpness, entropy. */
export interface Quality {
  luma_p99: number;
  luma_p05: number;
  sharpness: number;
  entropy_bits: number;
}

/** Something that may be wrong with how an image looks; never acted upon by itself. */
export interface Hint {
  name: string;
  score: number;
  threshold: number;
}

export interface Image {
  id: string;
  /** Goes up at every change of label, exclusion or review. */
  version?: number;
  /** Images that look alike share it. */
  near_group?: string | null;
  /** How many ready images of the dataset share it, this one included. */
  near_count?: number | null;
  quality?: Quality | null;
  hints?: Hint[];
  dataset_id: string;
  label: string | null;
  status: Status;
  reason: string | null;
  detail: string | null;
  /** Of the last answer that the server itself got for the address. */
  http_status: number | null;
  obtained_by: ObtainedBy | null;
  excluded: boolean;
  reviewed_at: string | null;
  url: string | null;
  final_url: string | null;
  source_url: string | null;
  thumbnail_url: string | null;
  title: string | null;
  license: string | null;
  sha256: string | null;
  bytes: number | null;
  width: number | null;
  height: number | null;
  format: string | null;
  duplicate_of: string | null;
  /** It came by feedback: no snapshot has it on the validation side. Of one image alone. */
  train_only?: boolean;
  attempts: number;
  created_at: string;
  settled_at: string | null;
  sightings?: Sighting[];
}

export interface ImageChange {
  label?: string;
  excluded?: boolean;
  reviewed?: boolean;
}

export interface BulkAnswer {
  changed: number;
  action_id?: string | null;
  /** Left as they are: somebody else changed them in between. */
  conflicts?: { id: string; version: number }[];
  /** Of every image that was named, afterwards. */
  versions?: Record<string, number>;
}

/** One change by a person, of one image or of many. */
export interface Action {
  id: string;
  at: string;
  kind: string;
  set: ImageChange;
  count: number;
  undone_at: string | null;
}

export interface UndoAnswer {
  action: Action;
  changed: number;
  conflicts: { id: string; version: number }[];
  versions?: Record<string, number>;
}

/** Images that look alike, the best first. */
export interface Stack {
  near_group: string;
  count: number;
  images: Image[];
}

/** The same bytes under two labels or more. */
export interface Conflict {
  sha256: string;
  images: { id: string; label: string | null; status: Status }[];
}

export interface HistoryEntry {
  at: string;
  kind: string;
  from: unknown;
  to: unknown;
  action_id: string | null;
}

/** How many images each value of a filter would give. */
export type Facets = Record<string, { value: string | boolean | null; count: number }[]>;

export interface SnapshotDiff {
  added: DiffItem[];
  removed: DiffItem[];
  relabelled: DiffItem[];
  moved: DiffItem[];
  counts: Record<string, number>;
}

export interface DiffItem {
  sha256: string;
  label: string;
  split: 'train' | 'valid';
  /** What label or split it had before. */
  before?: string | null;
}

export interface Capture {
  id: string;
  label: string;
  page_url: string;
  page_title: string | null;
  engine: string | null;
  query: string | null;
  captured_at: string;
  received_at: string;
  client: string | null;
  added: number;
  known: number;
  refused_count: number;
}

/** What became of an import, or would; the lists hold the first 10,000. */
export interface ImportReport {
  format: 'zip' | 'tar' | 'csv';
  dry_run: boolean;
  found: number;
  added: number;
  known: number;
  skipped: number;
  refused: { path: string; reason: string; detail: string }[];
  refused_count: number;
  reasons: Record<string, number>;
  other_label: { path: string; label: string | null; kept: string | null }[];
  other_label_count: number;
  /** Of what is taken, added and known; those without a label under the empty name. */
  labels: Record<string, number>;
}

export interface Snapshot {
  id: string;
  dataset_id: string;
  manifest_sha256: string;
  valid_ratio: number;
  seed: number;
  created_at: string;
  counts: { total: number; train: number; valid: number };
}

/** The network at one moment of a fine-tuning; losses in nats. */
export interface TrainingStage {
  update: number;
  epoch: number;
  lr: number;
  /** Mean since the stage before. */
  train_loss: number;
  valid_loss: number;
  valid_error_rate: number;
}

export interface LrPoint {
  lr: number;
  loss: number;
  /** Exponential average of the losses so far. */
  smoothed: number;
}

export interface JobProgress {
  phase: string;
  done: number;
  total: number;
  message: string | null;
  stages?: TrainingStage[];
}

/** What a finished model is worth on images that it was not trained on. */
export interface ModelEvaluation {
  model_id: string;
  count: number;
  seen_count: number;
  error_rate: number;
  error_rate_interval: [number, number];
  told_error_rate: number;
}

/** What a search for a learning rate found, the lowest rate first. */
export interface LrFinding {
  points: LrPoint[];
  valley: number;
  steep: number;
  minimum: number;
}

export interface Job {
  id: string;
  snapshot_id: string;
  dataset_id: string;
  state: JobState;
  recipe: Record<string, unknown> & { kind: string };
  progress: JobProgress | null;
  error: { kind: string; detail: string } | null;
  finding?: LrFinding | ModelEvaluation | null;
  model_id: string | null;
  attempts: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

/** A baseline is its error rate, alone or with more about it. */
export type Baseline = number | { error_rate: number };

export interface Metrics {
  error_rate: number;
  error_rate_interval?: [number, number] | null;
  baselines?: Record<string, Baseline | null>;
  log_loss?: number | null;
  calibration_error?: number | null;
  seconds?: number | null;
}

export interface EvaluationItem {
  sha256: string;
  split: 'train' | 'valid';
  label: string;
  predicted: string;
  loss: number;
  probability: number;
}

/** What a model was asked in some days; `mode` is what is kept of answers now. */
export interface PredictionCounts {
  mode: 'off' | 'counts' | 'images';
  days: number;
  count: number;
  abstained: number;
  labels: { label: string; count: number; abstained: number }[];
}

/** A model's move from one stage to another. */
export interface StageChange {
  id: string;
  model_id: string;
  before: Stage;
  after: Stage;
  kind: 'first' | 'chosen' | 'forced' | 'rollback' | 'rule';
  replaced_id: string | null;
  reason: string | null;
  comparison: { sentence?: unknown } | null;
  created_at: string;
}

/** What is known of two models that were asked the same. */
export interface RolloutFigures {
  compared: number;
  agreed: number;
  live_abstained: number;
  model_abstained: number;
  live_right: number;
  live_wrong: number;
  model_right: number;
  model_wrong: number;
}

/** What was decided of a model beside the live one, by rule or by a person. */
export interface RolloutDecision {
  id: string;
  kind: 'start' | 'wait' | 'widen' | 'propose' | 'promote' | 'roll-back' | 'stop';
  sentence: string;
  share: number;
  created_at: string;
}

/** The rules that a person may set. */
export interface RolloutRules {
  share?: number;
  sites?: string[];
  auto_promote?: boolean;
}

/** A model's stay in shadow or limited; `outcome` is null while it goes on. */
export interface Rollout {
  id: string;
  model_id: string;
  live_id: string;
  stage: 'shadow' | 'limited';
  rules: Required<RolloutRules> & { min_answers: number };
  share: number;
  floor: number;
  next_look: number | null;
  figures: RolloutFigures;
  not_compared: number;
  started_at: string;
  ended_at: string | null;
  outcome: 'promoted' | 'rolled-back' | 'stopped' | 'replaced' | null;
  decisions: RolloutDecision[];
}

/** A question that two models answered differently. */
export interface Disagreement {
  id: string;
  sha256: string;
  prediction_id: string | null;
  live_label: string;
  live_probability: number;
  live_abstained: boolean;
  model_label: string;
  model_probability: number;
  model_abstained: boolean;
}

/** Whether what a model is asked is still what it was validated on. */
export interface Drift {
  days: number;
  count: number;
  is_alert: boolean;
  sentence: string;
  tests: { kind: string; effect: number; p_value: number; is_alert: boolean; sentence: string }[];
  notes: string[];
}

export interface Model {
  id: string;
  dataset_id: string;
  snapshot_id: string;
  job_id: string | null;
  stage: Stage;
  classes: string[];
  recipe: Record<string, unknown> & { kind?: string };
  metrics: Metrics;
  bundle_sha256: string;
  bundle_bytes: number;
  created_at: string;
}

/** Which network a fine-tuning kept, and what that choice is worth. */
export interface Choice {
  kept: 'head' | 'fine-tuned';
  head_error_rate: number;
  fine_tuned_error_rate: number;
  /** Of choosing so, on images that had no part in the choice; null when there were too few. */
  cross_fitted_error_rate: number | null;
}

export interface FineTuning {
  updates: number;
  epochs: number;
  stages: TrainingStage[];
  choice: Choice;
  notes: string[];
}

export interface ModelWithEvaluation extends Model {
  history?: { fine_tuning?: FineTuning | null };
  evaluation: EvaluationItem[] | { items: EvaluationItem[]; analysis?: Analysis | null } | null;
}

/** An image and what heads that never saw it say of its label. */
export interface Suspicion {
  image_id: string;
  sha256: string;
  label: string;
  split: 'train' | 'valid';
  predicted: string;
  probability: number;
  label_probability: number;
  loss: number;
  reviewed_at: string | null;
}

export interface Suspicions extends Page<Suspicion> {
  model_id: string;
  /** Images of the label and the split that the model judged, whatever became of them since. */
  judged_count: number;
}

/** Two models on the validation images that both have, by the labels of the later one. */
export interface Comparison {
  before_id: string;
  after_id: string;
  image_count: number;
  corrected_count: number;
  before_error_rate: number | null;
  after_error_rate: number | null;
  /** Of the former model, by the labels as they were when it was trained. */
  as_labelled_error_rate: number | null;
  fixed_count: number;
  broken_count: number;
  /** Images that the two answer differently, right or wrong. */
  changed_answer_count: number;
  /** Images whose label the former model does not know. */
  unknown_label_count: number;
  /** After minus before. */
  difference: number;
  interval: [number, number];
  p_value: number;
  could_be_chance: boolean;
  sentence: string;
}

/** Training images near an image, the nearest first; `similarity` is at most 1. */
export interface Evidence {
  state: 'found' | 'being-made' | 'none';
  neighbours: { image_id: string; sha256: string; label: string; similarity: number }[];
}

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
  evidence?: Evidence | null;
}

/** Where an image comes from; titles and licences are what pages said. */
export interface Credit {
  image_id: string;
  sha256: string;
  label: string | null;
  title: string | null;
  url: string | null;
  /** The page that shows it. */
  source_url: string | null;
  /** The page where it was captured. */
  page_url: string | null;
  site: string | null;
  license: string | null;
}

/** What a removal of a site took, or would take. */
export interface Removal {
  site: string;
  dry_run: boolean;
  images: number;
  captures: number;
  /** Files that nothing else holds. */
  blobs: number;
  bytes: number;
  datasets: { id: string; name: string; images: number }[];
  snapshots: { id: string; dataset_id: string; created_at: string; images: number }[];
  models: { id: string; dataset_id: string; stage: Stage; snapshot_id: string; images: number }[];
  removal_id: string | null;
}

export interface PastRemoval extends Omit<Removal, 'dry_run'> {
  removal_id: string;
  dataset_id: string | null;
  block: boolean;
  created_at: string;
  /** Null while it goes on. */
  finished_at: string | null;
}

export interface Token {
  id: string;
  name: string;
  kind: 'owner' | 'web' | 'extension' | 'trainer' | 'api';
  origin: string | null;
  created_at: string;
  last_used_at: string | null;
}

export interface Pairing {
  code: string;
  expires_at: string;
  attempts_left: number;
}

export interface Server {
  name: string;
  version: string;
  api_version: number;
  token: { name: string; kind: string };
  trainer: { enabled: boolean; state?: string };
  extension_path?: string | null;
  /** That recipes may name, the usual one first. */
  backbones?: string[];
}

export interface Disk {
  images_bytes: number;
  free_bytes: number;
}

/** Where the address bar points: `#/datasets/01JD?label=bear` is `{page: 'datasets', id: '01JD', query}`. */
export interface Route {
  page: string;
  id: string | null;
  query: URLSearchParams;
}

/** What a page gets. It puts itself into `root` and stops everything it started when `signal` aborts. */
export interface PageContext {
  root: HTMLElement;
  route: Route;
  signal: AbortSignal;
}

/** What a page may give back: how to follow a change of the query without being built anew. */
export interface PageHandle {
  update?: (route: Route) => void;
}
