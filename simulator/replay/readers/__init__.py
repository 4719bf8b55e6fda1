"""Readers of files, one kind each: rows in constant memory, numbers exact."""
