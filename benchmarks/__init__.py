"""Benchmarks of tempo-edge: test material with known answers, and the scores that compare to it."""
