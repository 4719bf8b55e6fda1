from pathlib import Path

import pytest
from unit.simulator.configuration.configuration_texts import mistakes, parsed

from simulator.configuration.errors import ConfigurationRefused
from simulator.configuration.reading import parse_configuration, read_configuration
from simulator.configuration.structure import Configuration
from simulator.errors import ExitCode, InvalidConfiguration


def test_an_empty_map_gives_the_defaults() -> None:
    assert parsed("{}") == Configuration()


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n"])
def test_an_empty_file_is_a_mistake_and_not_the_defaults(text: str) -> None:
    assert mistakes(text) == ["mine.yaml: it holds nothing; write {} for the defaults"]


def test_values_are_read_by_yaml_1_2() -> None:
    configuration = parsed(
        "description: NO\nseed: 1e3\ntime: {start: 2026-09-01T00:00:00Z, live: FALSE}\n"
        "categories:\n  - {name: a, mcc: 0742, amounts: {distribution: uniform, "
        "minimum: .5, maximum: 2}}\n"
        "countries:\n  - {code: NO, currency: NOK, per_dollar: 10, time_zone: Europe/Oslo}\n"
    )
    assert configuration.description == "NO"
    assert configuration.seed == 1000
    assert configuration.countries[0].code == "NO"
    assert configuration.categories[0].mcc == "0742"


def test_a_text_may_begin_with_a_byte_order_mark() -> None:
    assert parsed("\ufeffseed: 3").seed == 3


def test_anchors_repeat_values_and_merge_keys_merge_maps() -> None:
    configuration = parsed(
        "violations:\n"
        "  structuring: &spread {share: 0.01, within: 2h}\n"
        "  fan_in: *spread\n"
        "  fan_out:\n    <<: *spread\n    share: 0.02\n"
        "  cycle:\n    <<: [{share: 0.03}, *spread]\n"
    )
    violations = configuration.violations
    assert (violations.fan_in.share, violations.fan_in.within) == (0.01, "2h")
    assert (violations.fan_out.share, violations.fan_out.within) == (0.02, "2h")
    assert (violations.cycle.share, violations.cycle.within) == (0.03, "2h")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "time: {live: true",
            (
                "2:1: this is no YAML: did not find expected ',' or '}'; look just before it:"
                " indentation, quotes, brackets, and a blank after each colon"
            ),
        ),
        (
            "volume: {rate: ${RATE}}",
            (
                "1:17: this is no YAML: did not find expected ',' or '}'; give a variable a line of"
                " its own, outside of braces and brackets"
            ),
        ),
        (
            "a: 1\nb\x07: 2",
            (
                "2:2: this is no YAML: control characters are not allowed; write the character as"
                " an escape in double quotes"
            ),
        ),
        ("seed: 1\n---\nseed: 2", "2:1: a second document begins; keep one in a file"),
        (
            "{a: 1}: 2",
            "1:1: a list, a map or an alias is a key; put text with braces in quotes",
        ),
        ("[" * 40, "1:33: more than 32 levels; nest less"),
        (
            "seed: 1\nseed: 2",
            "2:1 seed: the key 'seed' stands here again after line 1; keep one of them",
        ),
        (
            "seed: !!int 3",
            "1:7 seed: the tag 'tag:yaml.org,2002:int' has no meaning here; leave it out",
        ),
        ("seed: *a", "1:7 seed: no &a yet; put &a before a value further up"),
        (
            "time: &a {live: *a}",
            "1:17 time.live: *a stands inside of what it repeats; put &a before a value further up",
        ),
        ("time: {<<: 3}", "1:8 time.<<: << merges maps, and this is none; write <<: *name"),
        ("seed: .inf", "1:7 seed: this number is not finite; write an ordinary one"),
        ("seed: 1" + "0" * 400, "1:7 seed: this number is not finite; write an ordinary one"),
        (
            "- seed: 1",
            "1:1: expected options such as 'seed: 7', found a list of 1; write one option a line",
        ),
    ],
)
def test_broken_yaml_is_told_with_its_place(text: str, message: str) -> None:
    told = mistakes(text)
    assert told == [f"mine.yaml:{message}"]


def test_a_billion_laughs_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert mistakes("\n".join(lines)) == [
        "mine.yaml:5:25: more than 50000 values; repeat fewer anchors"
    ]


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_text("#" * 1024 * 1024 + "\n")
    with pytest.raises(ConfigurationRefused, match="it has more than 1048576 bytes"):
        read_configuration(file)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"seed: 1\ndescription: caf\xe9\n")
    with pytest.raises(ConfigurationRefused) as caught:
        read_configuration(file)
    assert str(caught.value) == f"{file}: line 2 is not text in UTF-8; save it as UTF-8"


def test_text_with_half_a_character_is_refused() -> None:
    with pytest.raises(ConfigurationRefused, match="is not text in UTF-8"):
        parse_configuration("description: \ud800", "mine.yaml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    with pytest.raises(ConfigurationRefused) as caught:
        read_configuration(file)
    assert str(caught.value) == (
        f"{file}: cannot read the file: No such file or directory; check its path"
    )


def test_the_error_is_the_simulators_own_and_carries_the_mistakes() -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        parsed("seed: x\nvolume: {rate: 0}")
    assert isinstance(caught.value, ConfigurationRefused)
    assert caught.value.exit_code is ExitCode.USAGE
    assert [(each.place.line, each.path) for each in caught.value.mistakes] == [
        (1, ("seed",)),
        (2, ("volume", "rate")),
    ]


def test_variables_cannot_blow_up_a_document() -> None:
    items = ", ".join(["'${A}'"] * 20)
    assert mistakes(f"segments: [{items}]", environment={"A": "x" * 60_000}) == [
        "mine.yaml:1:148: variables put in more than 1048576 characters; set shorter ones"
    ]


def test_where_there_are_too_many_mistakes_the_rest_is_not_looked_at() -> None:
    text = f"segments: [{', '.join(['{weight: -1}'] * 60)}]\ntime: {{live: true}}"
    assert mistakes(text)[-1] == "and more"


def test_of_many_mistakes_the_first_hundred_are_shown() -> None:
    text = "violations:\n" + "".join(f"  kind_{number}: 1\n" for number in range(150))
    told = mistakes(text)
    assert len(told) == 101
    assert told[-1] == "and more"


def test_a_mistake_below_a_key_that_stands_twice_is_told_as_well() -> None:
    assert mistakes("seed: 1\nseed: {a: *b}") == [
        "mine.yaml:2:1 seed: the key 'seed' stands here again after line 1; keep one of them",
        "mine.yaml:2:11 seed.a: no &b yet; put &b before a value further up",
    ]
