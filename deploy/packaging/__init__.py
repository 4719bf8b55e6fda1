"""The zip of a release: sources, dependencies, and the same bytes each time."""
