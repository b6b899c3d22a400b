"""Storage engines, each a folder that implements the storage protocols and knows its driver."""
