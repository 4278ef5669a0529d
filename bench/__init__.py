"""Benchmarks: ratios of interleaved rounds of one invocation; absolute figures are printed, never asserted."""
