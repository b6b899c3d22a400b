"""Recall, the pure part: from texts to index documents, from a question to ranked candidates.

No storage, no embedder, no waiting: the async service around it awaits those and hands their
results in. `daybook.recall.ranking.query.plan_query` and `daybook.recall.ranking.ranker.rank` are
the two ends.
"""
