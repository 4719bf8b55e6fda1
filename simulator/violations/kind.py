"""What a kind of violation is to the generator."""

from collections.abc import Callable
from typing import Any, NamedTuple

from simulator.generation.scene import Scene
from simulator.violations.incident import Incident


class Kind(NamedTuple):
    """A kind of violation, or of what looks like one.

    Attributes:
        name: of its field in the configuration's ``violations``.
        inject: makes one occurrence, from a scene and that field's value.
        events: of an occurrence on average, valid and refused, by subtlety: how a share of
            events becomes a number of occurrences.
    """

    name: str
    inject: Callable[[Scene, Any], Incident]
    events: Callable[[float], float] = lambda _: 1.0
