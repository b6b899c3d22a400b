"""Text to vectors: the static table (default), MiniLM, a test embedder, and any callable.

Import the module that is needed; this package imports nothing, so that numpy and model runtimes
are only loaded by those who use them.
"""
