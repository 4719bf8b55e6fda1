"""The catalogue knows every violation that a configuration can ask for, and no other."""

from simulator.configuration.violation_settings import Violation, Violations
from simulator.violations.catalogue import KINDS, LOOKALIKES


def test_every_violation_of_the_configuration_has_a_kind_in_the_same_order() -> None:
    configurable = [
        name
        for name in Violations.__struct_fields__
        if isinstance(getattr(Violations(), name), Violation)
    ]
    assert [kind.name for kind in KINDS] == configurable


def test_lookalikes_have_names_of_their_own() -> None:
    names = [kind.name for kind in LOOKALIKES]
    assert len(set(names)) == len(names)
    assert not {kind.name for kind in KINDS} & set(names)
