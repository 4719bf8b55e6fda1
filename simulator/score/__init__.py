"""How much of what was injected the pipeline found, and what it found besides."""
