"""Fits the weights of `daybook.recall.ranker` on conversations given from outside."""
