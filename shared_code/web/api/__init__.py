"""The JSON API: which resources there are, and how each is asked for."""
