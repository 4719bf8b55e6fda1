"""The page on configurations says what is so."""

import re
from pathlib import Path

import pytest
from unit.simulator.configuration.configuration_texts import mistakes, parsed

from simulator.configuration.option_tables import PAGE, with_tables, write_tables
from simulator.configuration.shipped_profiles import profiles

TEXT = PAGE.read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
MISTAKES = """time:
  duration: 30 min
violations:
  structring: {share: 0.01}
  fan_in: {share: 2}
countries:
  - {code: DE, currency: EUR, per_dollar: 0.9, time_zone: Europe/Berln}
"""


def test_the_tables_are_those_of_the_structures() -> None:
    assert with_tables(TEXT) == TEXT, "run python -m simulator.configuration.option_tables"


def test_the_tables_can_be_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TEXT.replace("| `seed` |", "| `sed` |"), "utf-8")
    write_tables(page)
    assert page.read_text("utf-8") == TEXT


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_configuration(example: str) -> None:
    assert parsed(example, environment={"YESTERDAY": "2026-09-30T12:00:00Z"})


def test_there_are_enough_examples() -> None:
    assert len(EXAMPLES) >= 10


def test_mistakes_are_told_as_the_page_shows_them() -> None:
    shown = re.findall(r"^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert mistakes(MISTAKES, ["seed=x"]) == shown[0].strip().split("\n")


def test_the_page_lists_the_profiles() -> None:
    rows = "".join(f"| `{name}` | {told} |\n" for name, told in profiles().items())
    assert f"| profile | what it is for |\n|---|---|\n{rows}\n" in TEXT
