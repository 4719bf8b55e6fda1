"""Delivery: packages, migrates, publishes, proves and takes back a release of the functions."""
