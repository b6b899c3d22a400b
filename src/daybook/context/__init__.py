"""Context windows, the pure part: which messages go in, in which order, at how many tokens.

No storage and no waiting: `daybook.facets.context` reads the log and hands entries in.
`daybook.context.build.plan_context` is the one end, `daybook.context.token_estimate` counts.
"""
