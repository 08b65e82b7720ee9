/** What a bundle says beyond metrics: `server.contract.analysis`. Rates are 0 to 1. */

export interface Bin {
  low: number;
  high: number;
  count: number;
  confidence: number | null;
  accuracy: number | null;
}

export interface TemperatureEffect {
  calibration_error_before: number;
  calibration_error_after: number;
  log_loss_before: number;
  log_loss_after: number;
  folds: number;
}

export interface CurvePoint {
  train_count: number;
  ratio: number;
  error_rate: number;
  lowest: number;
  highest: number;
  log_loss: number;
}

export interface ClassNeed {
  label: string;
  train_count: number;
  log_loss_rise: number;
}

export interface LearningCurve {
  /** Absent in bundles that are older than it; then as `model`. */
  basis?: 'model' | 'head';
  points: CurvePoint[];
  needs: ClassNeed[];
}

export interface Slice {
  dimension: 'engine' | 'site' | 'size' | 'shape';
  value: string;
  count: number;
  error_rate: number;
  error_rate_interval: [number, number];
  is_worse: boolean;
}

export interface Clue {
  name: 'site' | 'engine' | 'size' | 'shape' | 'border';
  accuracy: number;
  chance: number;
  chance_limit: number;
  value_count: number;
  is_shortcut: boolean;
}

export interface ScoreTrial {
  score: 'max_probability' | 'energy' | 'margin' | 'knn';
  auroc: number;
  passed: number;
  threshold: number;
}

export interface Finding {
  kind: string;
  text: string;
  numbers: Record<string, number>;
}

export interface Analysis {
  reliability: { bins: Bin[]; effect: TemperatureEffect | null } | null;
  learning_curve: LearningCurve | null;
  slices: { basis: 'out-of-fold' | 'validation'; rows: Slice[] } | null;
  shortcuts: { image_count: number; shuffles: number; clues: Clue[] } | null;
  abstention: {
    label: string;
    background_count: number;
    coverage: number;
    trials: ScoreTrial[];
  } | null;
  findings: Finding[];
}
