"""Benchmarks: what `make bench` measures and writes to docs/bench/. Each program also runs by itself."""
