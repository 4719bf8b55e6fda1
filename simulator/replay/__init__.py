"""Turns anyone's payments, in files of their own layout, into messages of payment events."""
