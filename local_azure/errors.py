"""The root of every error that the local stand-in raises on purpose."""


class LocalAzureError(Exception):
    """Something is wrong that the person at the keyboard can mend; the message says how."""
