"""Keeps the search index up to date with the log and the records, in the background."""
