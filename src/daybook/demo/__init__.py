"""A conversation history of our own writing, and a tour that shows what Daybook does with one."""
