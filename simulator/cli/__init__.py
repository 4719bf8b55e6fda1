"""The command line: thin skins over functions that anyone can call."""
