"""Words of many languages: from a text to what an index stores about it."""
