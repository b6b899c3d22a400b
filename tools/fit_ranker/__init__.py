"""Fits the weights of `daybook.recall.ranking.ranker` on conversations given from outside."""
