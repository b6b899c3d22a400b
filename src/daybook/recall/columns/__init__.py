"""Index documents of one scope as numpy columns, exact or as codes."""
