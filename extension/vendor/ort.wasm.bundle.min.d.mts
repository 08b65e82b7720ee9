/** What is used of ONNX Runtime Web, whose file `make extension` puts beside this. */

/** A network that is loaded. */
export interface Session {
  run(
    feeds: { [name: string]: Tensor },
    outputs: string[],
  ): Promise<{ [name: string]: { data: ArrayLike<number> } }>;
  release(): Promise<void>;
}

export const env: {
  wasm: { numThreads: number; proxy: boolean; wasmPaths: { wasm: string } };
  logLevel: string;
};
export const InferenceSession: {
  create(model: Uint8Array, options: object): Promise<Session>;
};
export class Tensor {
  constructor(type: 'float32', data: Float32Array, dims: number[]);
}
