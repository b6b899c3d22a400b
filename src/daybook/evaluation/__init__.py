"""How well recall finds what answers a question: data sets, measures, intervals, runs, plots."""
