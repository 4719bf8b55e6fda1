import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from simulator.configuration import reloading
from simulator.configuration.errors import ConfigurationRefused
from simulator.configuration.loading import Loaded, load_file
from simulator.configuration.reloading import (
    MISSED_AFTER,
    SETTLED_AFTER,
    WatchedConfiguration,
)
from simulator.configuration.structure import Configuration


class Watched:
    """A watched file with a clock that the test moves, and what it was told."""

    def __init__(self, folder: Path, text: str, *overrides: str) -> None:
        self.file = folder / "mine.yaml"
        self.now = 0.0
        self.told: list[str] = []
        self.environment: dict[str, str] = {}
        self.file.write_text(text, "utf-8")
        self.configuration = WatchedConfiguration(
            self.file,
            overrides,
            self.environment,
            on_refused=lambda refused: self.told.append(str(refused)),
            clock=lambda: self.now,
        )

    def poll_for(self, seconds: float) -> list[Configuration]:
        """Poll ten times a second, and return the changes."""
        changes = []
        for _ in range(int(seconds * 10) + 1):
            changed = self.configuration.poll()
            if changed is not None:
                changes.append(changed)
            self.now += 0.1
        return changes

    def edit(self, text: str) -> None:
        """Replace the file as editors do, by another one."""
        draft = self.file.with_name("draft")
        draft.write_text(text, "utf-8")
        draft.replace(self.file)


def test_an_edit_is_returned_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    assert watched.poll_for(2) == []
    watched.edit("seed: 2")
    assert [each.seed for each in watched.poll_for(5)] == [2]
    assert watched.configuration.configuration.seed == 2


def test_an_edit_in_place_is_noticed(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.poll_for(1)
    watched.file.write_text("seed: 44", "utf-8")
    assert [each.seed for each in watched.poll_for(1)] == [44]


def test_an_edit_before_the_first_poll_is_noticed(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.edit("seed: 2")
    assert [each.seed for each in watched.poll_for(1)] == [2]


def test_an_edit_of_comments_changes_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.edit("# one\nseed: 1.0")
    assert watched.poll_for(2) == []
    assert watched.told == []


def test_a_file_is_not_read_again_while_it_stays_as_it_is(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: ${SEED:-1}")
    watched.poll_for(1)
    watched.environment["SEED"] = "2"
    assert watched.poll_for(5) == []
    os.utime(watched.file, ns=(1, 1))
    assert [each.seed for each in watched.poll_for(1)] == [2]


def test_an_edit_waits_until_the_file_is_left_alone(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.poll_for(1)
    for length in range(1, 9):
        watched.file.write_text("seed: 12"[:length], "utf-8")
        assert watched.poll_for(SETTLED_AFTER / 2) == []
    assert [each.seed for each in watched.poll_for(1)] == [12]
    assert watched.told == []


def test_a_bad_edit_is_reported_once_and_the_old_one_goes_on(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.edit("seed: x")
    assert watched.poll_for(3) == []
    watched.edit("seed: x")
    assert watched.poll_for(3) == []
    assert watched.told == [f"{watched.file}:1:7 seed: expected a whole number, found 'x'"]
    assert watched.configuration.configuration.seed == 1


def test_a_bad_edit_after_a_good_one_is_reported_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    for text in ("seed: x", "seed: 1", "seed: x"):
        watched.edit(text)
        assert watched.poll_for(1) == []
    assert len(watched.told) == 2


def test_a_file_that_is_missing_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.poll_for(1)
    watched.file.unlink()
    assert watched.poll_for(MISSED_AFTER - 0.5) == []
    watched.file.write_text("seed: 2", "utf-8")
    assert [each.seed for each in watched.poll_for(1)] == [2]
    assert watched.told == []


def test_a_file_that_stays_away_is_reported_once_and_may_come_back(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.file.unlink()
    assert watched.poll_for(MISSED_AFTER + 5) == []
    assert watched.told == [
        f"{watched.file}: cannot read the file: No such file or directory; check its path"
    ]
    watched.file.write_text("seed: 3", "utf-8")
    assert [each.seed for each in watched.poll_for(1)] == [3]


def test_files_that_are_extended_are_watched_as_well(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("seed: 5", "utf-8")
    watched = Watched(tmp_path, "extends: base.yaml")
    watched.poll_for(1)
    base.write_text("seed: 66", "utf-8")
    assert [each.seed for each in watched.poll_for(1)] == [66]


def test_a_file_that_is_extended_from_now_on_is_watched_from_now_on(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.edit("extends: base.yaml")
    assert watched.poll_for(MISSED_AFTER + 1) == []
    assert len(watched.told) == 1
    (tmp_path / "base.yaml").write_text("seed: 7", "utf-8")
    assert [each.seed for each in watched.poll_for(1)] == [7]


def test_options_keep_lying_over_the_file(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seed: 1", "seed=9")
    watched.edit("seed: 2\nvolume: {rate: 5}")
    changes = watched.poll_for(1)
    assert [(each.seed, each.volume.rate) for each in changes] == [(9, 5)]


def test_what_is_half_written_while_it_is_read_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, "seed: 1")
    watched.poll_for(1)
    watched.edit("seed: 2")

    def half_written(path: Path, environment: Mapping[str, str]) -> Loaded:
        monkeypatch.setattr(reloading, "load_file", load_file)
        watched.file.write_text("seed: 3", "utf-8")
        return load_file(path, environment)

    monkeypatch.setattr(reloading, "load_file", half_written)
    assert watched.poll_for(SETTLED_AFTER + 0.1) == []
    assert reloading.load_file is load_file
    watched.file.write_text("seed: 33", "utf-8")
    assert [each.seed for each in watched.poll_for(2)] == [33]


def test_an_edit_of_a_new_base_right_after_it_was_read_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("seed: 5", "utf-8")
    watched = Watched(tmp_path, "seed: 1")
    watched.poll_for(1)
    watched.edit("extends: base.yaml")

    def edited_after_reading(path: Path, environment: Mapping[str, str]) -> Loaded:
        monkeypatch.setattr(reloading, "load_file", load_file)
        loaded = load_file(path, environment)
        base.write_text("seed: 66", "utf-8")
        return loaded

    monkeypatch.setattr(reloading, "load_file", edited_after_reading)
    assert [each.seed for each in watched.poll_for(2)] == [5, 66]


def test_a_file_with_mistakes_from_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationRefused, match="expected a whole number"):
        Watched(tmp_path, "seed: x")
