from pathlib import Path

import pytest
from unit.simulator.configuration.configuration_texts import mistakes, parsed

from simulator.configuration.errors import ConfigurationRefused
from simulator.configuration.profile_files import location, profile_names
from simulator.configuration.reading import read_configuration

PROFILES = ", ".join(profile_names())


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def test_a_variable_is_put_in_before_types_are_read() -> None:
    configuration = parsed(
        "seed: ${SEED}\ndescription: from ${TOWN} to ${TOWN}\nvolume:\n  rate: ${RATE:-20}\n",
        environment={"SEED": "5", "TOWN": "Rome"},
    )
    assert configuration.seed == 5
    assert configuration.description == "from Rome to Rome"
    assert configuration.volume.rate == 20


def test_a_default_stands_in_for_an_empty_variable() -> None:
    assert parsed("seed: ${SEED:-4}", environment={"SEED": ""}).seed == 4


def test_two_dollars_write_a_brace_as_it_is() -> None:
    assert parsed("description: $${HOME} costs $5").description == "${HOME} costs $5"


def test_a_variable_in_quotes_is_text() -> None:
    assert parsed('description: "${N}"', environment={"N": "5"}).description == "5"


def test_the_value_of_a_variable_is_no_yaml() -> None:
    text = "description: ${N}"
    assert parsed(text, environment={"N": "{a: &b [1]}"}).description == "{a: &b [1]}"


def test_keys_are_left_alone() -> None:
    told = mistakes("${KEY}: 1", environment={"KEY": "seed"})
    assert told == ["mine.yaml:1:1 ${KEY}: the option '${KEY}' is not known here"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "volume:\n  rate: ${RATE}",
            (
                "2:9 volume.rate: the environment variable RATE is not set; set it, or give a"
                " default: ${RATE:-...}"
            ),
        ),
        (
            "seed: ${not a name}",
            (
                "1:7 seed: ${ begins no variable here; write ${NAME} or ${NAME:-default}, or $${"
                " for ${ itself"
            ),
        ),
        (
            "seed: ${BROKEN}",
            "1:7 seed: the environment variable BROKEN is not text in UTF-8; set it anew",
        ),
        (
            "description: ${LONG}",
            (
                "1:14 description: variables put more than 65536 characters into the value; set"
                " shorter ones"
            ),
        ),
    ],
)
def test_a_variable_that_cannot_be_put_in_is_told(text: str, message: str) -> None:
    environment = {"BROKEN": "\udcff", "LONG": "x" * 70_000}
    assert mistakes(text, environment=environment) == [f"mine.yaml:{message}"]


@pytest.mark.parametrize(
    "text",
    [
        "seed: ${SECRET}",
        "time:\n  duration: ${SECRET}",
        "time:\n  live: ${SECRET}",
        "time: ${SECRET}",
        "time:\n  start: ${SECRET}",
        "extends: ${SECRET}",
        "segments:\n  - name: ${SECRET}\n  - name: ${SECRET}",
        "countries:\n  - {code: DE, currency: EUR, per_dollar: 1, time_zone: '${SECRET}'}",
        "countries:\n  - {code: '${SECRET}', currency: EUR, per_dollar: 1}",
        "rhythm:\n  holidays:\n    dates:\n      - ${SECRET}",
        "categories:\n  - name: a\n    mcc: '1234'\n    amounts:\n      distribution: ${SECRET}",
        "${SECRET}",
        "violations:\n  structuring:\n    share: ${SECRET}\n  cycle:\n    within: ${SECRET}",
    ],
)
@pytest.mark.parametrize("secret", ["hunter2", "Europe/Berln", "fr", "77.5", "log_normul", "9%"])
def test_the_value_of_a_variable_is_never_shown(text: str, secret: str) -> None:
    told = "\n".join(mistakes(text, environment={"SECRET": secret}))
    assert secret not in told
    assert "did you mean" not in told
    assert "${SECRET}" in told


def test_a_number_from_a_variable_in_quotes_is_explained() -> None:
    assert mistakes('volume:\n  rate: "${RATE}"', environment={"RATE": "5"}) == [
        (
            "mine.yaml:2:9 volume.rate: expected a number, found what '${RATE}' stands for; set the"
            " variable to such a value, and write it without quotes"
        )
    ]


def test_a_file_extends_a_profile_maps_deeply_and_lists_as_a_whole() -> None:
    configuration = parsed(
        "extends: month-end\nviolations: {structuring: {share: 0.01}}\n"
        "rhythm: {pay_days: {days: [5]}}\nvolume: {payments: null, rate: 3}\n"
    )
    assert configuration.violations.structuring.share == 0.01
    assert configuration.violations.structuring.within == "5h"
    assert configuration.rhythm.pay_days.days == (5,)
    assert configuration.rhythm.pay_days.factor == 2.2
    assert configuration.volume.payments is None


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    written(tmp_path, "top.yaml", "seed: 1\ndescription: top\nextends: below/middle.yaml")
    written(tmp_path / "below", "middle.yaml", "extends: base.yaml\nvolume: {rate: 3}\nseed: 2")
    written(tmp_path / "below", "base.yaml", "volume: {rate: 4}\ntime: {duration: 2h}")
    configuration = read_configuration(tmp_path / "top.yaml", environment={})
    assert configuration.seed == 1
    assert configuration.description == "top"
    assert configuration.volume.rate == 3
    assert configuration.time.duration == "2h"


def test_a_cycle_of_files_is_a_mistake(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml", "extends: b.yaml")
    second = written(tmp_path, "b.yaml", "seed: 1\nextends: ./a.yaml")
    with pytest.raises(ConfigurationRefused) as caught:
        read_configuration(tmp_path / "a.yaml")
    assert str(caught.value) == (
        f"{second}:2:10 extends: './a.yaml' extends itself by way of other files; break the cycle"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "extends: steedy",
            "1:10 extends: cannot read 'steedy': No such file or directory; did you mean steady?",
        ),
        (
            "extends: other.yaml",
            (
                "1:10 extends: cannot read 'other.yaml': No such file or directory; paths are"
                " relative to the file that names them"
            ),
        ),
        (
            'extends: "a\\0b"',
            (f"1:10 extends: cannot read 'a\\x00b': it is no path; known are {PROFILES}"),
        ),
        (
            "extends: [steady]",
            (
                "1:10 extends: expected a profile or a file, found a list of 1; profiles are"
                f" {PROFILES}"
            ),
        ),
        (
            "extends: ${BASE}",
            (
                "1:10 extends: the environment variable BASE is not set; set it, or give a default:"
                " ${BASE:-...}"
            ),
        ),
    ],
)
def test_what_cannot_be_extended_is_told(text: str, message: str, tmp_path: Path) -> None:
    assert mistakes(text, folder=tmp_path) == [f"mine.yaml:{message}"]


def test_mistakes_of_all_files_are_told_with_their_files(tmp_path: Path) -> None:
    base = written(tmp_path, "base.yaml", "volume: {rate: x}\nsegments: [{name: a, weight: 0}]")
    top = written(tmp_path, "top.yaml", "extends: base.yaml\nvolume: {payments: y}")
    with pytest.raises(ConfigurationRefused) as caught:
        read_configuration(top, ["seed=z"])
    assert str(caught.value).split("\n") == [
        f"{top}:2:20 volume.payments: expected a whole number, found 'y'",
        f"{base}:1:16 volume.rate: expected a number, found 'x'",
        f"{base}:2:1 segments: all weights are 0; give at least one of them a weight",
        "--set seed=z seed: expected a whole number, found 'z'",
    ]


def test_a_broken_base_leaves_the_file_itself_to_be_checked(tmp_path: Path) -> None:
    base = written(tmp_path, "base.yaml", "[")
    top = written(tmp_path, "top.yaml", "extends: base.yaml\nseed: y")
    with pytest.raises(ConfigurationRefused) as caught:
        read_configuration(top)
    assert [str(each.place) for each in caught.value.mistakes] == [f"{top}:2:7", f"{base}:2:1"]


def test_options_are_laid_over_the_file_in_turn() -> None:
    configuration = parsed(
        "extends: steady\nviolations: {fan_in: {share: 0.01, within: 1h}}",
        [
            "seed=3",
            "seed=4",
            "violations.fan_in.share=0.02",
            "volume.payments=9000",
            "volume={rate: 5}",
            "time.start=2026-09-01T00:00:00Z",
            "description=a=b",
            "rhythm.weekdays=[1,1,1,1,1,0,0]",
        ],
    )
    assert configuration.seed == 4
    assert configuration.violations.fan_in.share == 0.02
    assert configuration.violations.fan_in.within == "1h"
    assert (configuration.volume.rate, configuration.volume.payments) == (5, 9000)
    assert configuration.time.start is not None
    assert configuration.description == "a=b"
    assert configuration.rhythm.weekdays[-1] == 0


def test_an_option_without_a_value_takes_one_back() -> None:
    assert parsed("volume: {rate: 5}", ["volume.rate="]).volume.rate is None


def test_an_option_reaches_into_lists_by_position() -> None:
    text = "segments: [{name: a}, {name: b}]"
    assert [each.weight for each in parsed(text, ["segments.1.weight=9"]).segments] == [1, 9]


def test_an_option_may_name_variables() -> None:
    assert parsed("{}", ["seed=${N}"], {"N": "8"}).seed == 8


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "violations.fan_in.share=2",
            (
                "--set violations.fan_in.share=2 violations.fan_in.share: expected at most 0.5,"
                " found 2; shares are parts of one: did you mean 0.02?"
            ),
        ),
        (
            "voluem.rate=2",
            (
                "--set voluem.rate=2 voluem: the option 'voluem' is not known here; did you mean"
                " volume?"
            ),
        ),
        (
            "countries.0.time_zone=Europe/Berln",
            (
                "--set countries.0.time_zone=Europe/Berln countries.0.time_zone: 'Europe/Berln' is"
                " no time zone of the IANA database; did you mean Europe/Berlin?"
            ),
        ),
        (
            "seed",
            "--set seed: expected a path and a value, such as time.duration=24h; write PATH=VALUE",
        ),
        (
            "a..b=1",
            (
                "--set a..b=1: expected a path and a value, such as time.duration=24h; write"
                " PATH=VALUE"
            ),
        ),
        (
            "extends=steady",
            "--set extends=steady: extends is for files; name the other file in its place",
        ),
        (
            "countries.7.weight=1",
            "--set countries.7.weight=1: 7 is no position in a list of 1; they count from 0",
        ),
        (
            "countries.DE.weight=1",
            "--set countries.DE.weight=1: DE is no position in a list of 1; they count from 0",
        ),
        (
            "seed.x=1",
            "--set seed.x=1: x would have to be inside of 3; that is no map",
        ),
        (
            "segments.0.weight=1",
            (
                "--set segments.0.weight=1 segments: expected a list, found a map; write the whole"
                " list, each value after a dash or all in [brackets]"
            ),
        ),
        (
            "volume=[",
            (
                "--set volume=[ volume: this is no YAML: did not find expected node content; look"
                " just before it: indentation, quotes, brackets, and a blank after each colon"
            ),
        ),
        (
            "volume={rate: 1, rate: 2}",
            (
                "--set volume={rate: 1, rate: 2} volume.rate: the key 'rate' stands here again;"
                " keep one of them"
            ),
        ),
        (
            "seed=${N}",
            (
                "--set seed=${N} seed: the environment variable N is not set; set it, or give a"
                " default: ${N:-...}"
            ),
        ),
        (
            "seed.x=!y 1",
            "--set seed.x=!y 1 seed.x: the tag '!y' has no meaning here; leave it out",
        ),
        ("seed=\udcff", "--set seed=\\udcff: the value is not text in UTF-8; type it anew"),
        (
            "x" * 100,
            (
                f"--set {'x' * 80}...: expected a path and a value, such as"
                " time.duration=24h; write PATH=VALUE"
            ),
        ),
    ],
)
def test_a_mistake_in_an_option_is_told_with_the_option(option: str, message: str) -> None:
    text = "seed: 3\ncountries: [{code: DE, currency: EUR, per_dollar: 1}]"
    assert mistakes(text, [option]) == [message]


def test_a_profile_is_found_by_name_and_a_file_by_path() -> None:
    assert location("steady").name == "steady.yaml"
    assert location("steady.yaml", Path("here")) == Path("here/steady.yaml")
