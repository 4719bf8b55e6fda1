"""Command lines: thin skins over functions that anyone can call."""
