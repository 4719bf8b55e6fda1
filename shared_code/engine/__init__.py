"""The metric engine: judges batches, closes windows and reloads rules."""
