"""Compliance reports: figures of a span, with a checksum, as a page that needs nothing else."""
