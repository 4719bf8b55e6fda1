"""The base of all parts of a configuration."""

import msgspec


class Part(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A part of a configuration: immutable, equal by value, and strict about names."""
