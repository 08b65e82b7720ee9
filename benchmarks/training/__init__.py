"""What `bench_train.py` measures with: sets, programs that train, and what is kept of them."""
