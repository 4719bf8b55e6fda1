"""The command line's thin skins over what the other packages do."""
