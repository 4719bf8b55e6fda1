"""Looks at a foreign file and proposes a mapping for it."""
