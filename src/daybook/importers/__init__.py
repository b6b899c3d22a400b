"""Conversation histories from elsewhere, read into a daybook: one module per format."""
