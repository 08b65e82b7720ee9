"""Benchmarks: each a script that prints a Markdown table; results in ``docs/benchmarks.md``."""
