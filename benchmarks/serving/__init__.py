"""What `bench_serve.py` measures with: one model, programs that serve it, and clients that ask."""
