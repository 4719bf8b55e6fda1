"""Key buckets: one customer's payments stay in order, and a packed message has one key."""

import hashlib
from typing import Final

BUCKETS: Final = 64


def key_bucket(customer_id: str) -> int:
    """Return the bucket of a customer, 0 to 63, the same in every process."""
    digest = hashlib.blake2b(customer_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % BUCKETS


def partition_key(customer_id: str) -> str:
    """Return the partition key of a customer's events: its bucket as text."""
    return str(key_bucket(customer_id))
