"""The parts of `benchmarks.history_engines`, one table each."""
