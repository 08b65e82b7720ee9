/** What a bundle says of its model, as far as answers need it; see `server/contract/bundle.py`. */
export interface Preprocessing {
  /** Side of the input, in pixels. */
  size_px: number;
  mean: [number, number, number];
  std: [number, number, number];
  resize: 'squish' | 'crop' | 'pad-reflection' | 'pad-zeros';
  /** Side of the square that `crop` takes, as a share of the shorter side. */
  crop_ratio: number;
}

export interface Abstention {
  score: 'max_probability' | 'margin' | 'energy';
  threshold: number;
  /** The class that stands for "none of these". */
  background: string | null;
}

export interface BundleFacts {
  /** In the order of the logits. */
  classes: string[];
  preprocessing: Preprocessing;
  temperature: number;
  abstention: Abstention;
  /** Of `model.onnx`. */
  model_sha256: string;
}

/** A model that lies in this browser. */
export interface KeptModel {
  /** Its bundle's hash. */
  bundle_sha256: string;
  model_id: string;
  dataset_id: string;
  dataset_name: string | null;
  /** Origin of the server that it came from. */
  server: string;
  facts: BundleFacts;
  bytes: number;
  /** When it came, in ms since 1970. */
  kept_at_ms: number;
}

export interface HereAnswer {
  predictions: { label: string; probability: number }[];
  abstained: boolean;
  threshold: number | null;
  milliseconds: number;
}
