"""Revisions: checked before they run, run one by one, taken back."""
