"""ai-infra's tools for memory; see `custom`."""
