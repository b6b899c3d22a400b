"""Speed and size of Daybook beside raw drivers and other libraries: ``python -m benchmarks``."""
