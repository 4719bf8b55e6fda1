"""The root of every error that the product raises on purpose."""


class PaymentsError(Exception):
    """Something the product can name; the message says what, where and what to do."""
