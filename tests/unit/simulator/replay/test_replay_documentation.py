import re
from pathlib import Path

import pytest

from simulator.replay.mapping import mapping_schema
from simulator.replay.mapping_reading import parse_mapping

TEXT = (Path(__file__).parents[4] / "docs/simulator/replay.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_every_key_stands_in_the_documentation() -> None:
    keys = {key for part in mapping_schema()["$defs"].values() for key in part["properties"]}
    assert {key for key in keys if f"`{key}`" not in TEXT} == set()


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_mapping(example: str) -> None:
    parse_mapping(example)


def test_there_is_an_example_of_each_layout() -> None:
    assert len(EXAMPLES) == 4
