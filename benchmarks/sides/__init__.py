"""The sides of a comparison, each behind the same few methods."""
