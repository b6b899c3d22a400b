"""What a caller holds: `book.sessions`, `book.history`, `book.records` and the rest.

Each facet is one class over protocols: it checks what callers give, and knows no engine.
"""
