"""Conversations out of a daybook: JSON that comes back the same, Markdown to read."""
