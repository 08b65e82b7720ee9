"""What `bench_fetch.py` measures with: a corpus, a site, and programs that fetch it."""
