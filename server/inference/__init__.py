"""Models at work: onnxruntime behind a protocol, and the pool for CPU work. May import contract."""
