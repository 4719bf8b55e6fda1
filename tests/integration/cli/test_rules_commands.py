"""``python -m shared_code rules``: checking, comparing, trying, exporting and suppressing."""

import json
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from payment_messages import payment_event
from rule_documents import document, rapid_fire, rule, use_rules
from rules_shell import ABROAD, HIGH, LOWER, Shell, active_version
from store_fixtures import Store

from shared_code.__main__ import command_line, main
from shared_code.engine.metric_engine import SHIPPED_RULES
from shared_code.rules.document_text import parse_document
from shared_code.store.rule_store import document_hash
from simulator.cli.main import main as simulate


def test_a_right_document_is_told_by_version_scopes_and_hash(shell: Shell) -> None:
    content = document("1.2.0", rule("high", when=HIGH), rapid_fire())
    exit_code, said, _ = shell("validate", shell.file(content))
    assert exit_code == 0
    assert "version 1.2.0 is right: 2 rules (1 transaction, 1 velocity)" in said
    assert document_hash(content).hex() in said


def test_a_wrong_document_is_told_by_every_mistake(shell: Shell) -> None:
    wrong = rule("high", when={"field": "amuont", "operator": "gte", "value": 1}, severity="hihg")
    file = shell.file(json.dumps({"version": "1.0.0", "rules": [wrong]}).encode())
    exit_code, said, complaint = shell("validate", file)
    assert (exit_code, said) == (1, "")
    assert '"high" $.rules[0].when.field: there is no field' in complaint
    assert "Did you mean 'amount'?" in complaint
    assert complaint.endswith(f"2 mistakes in {file}")
    exit_code, said, _ = shell("validate", file, "--json")
    found = json.loads(said)
    assert (exit_code, found["valid"], len(found["errors"])) == (1, False, 2)
    assert set(found["errors"][0]) == {"path", "message", "suggestion"}


@pytest.mark.parametrize(
    "content", [b'{"rules": [1, {"id": 2}]}', b'{"rules": {"0": {}}}', b"[]", b"", b"{"]
)
def test_mistakes_of_rules_without_an_id_are_told_by_place_alone(
    shell: Shell, content: bytes
) -> None:
    exit_code, _, complaint = shell("validate", shell.file(content))
    assert exit_code == 1
    assert all(line.startswith("$") for line in complaint.splitlines()[:-1])


def test_a_missing_file_is_told_with_what_to_do(shell: Shell) -> None:
    exit_code, _, complaint = shell("validate", "no-such.json")
    assert exit_code == 1
    assert complaint == (
        "error: cannot read no-such.json: No such file or directory;"
        " name another file, or - for stdin"
    )


@pytest.mark.parametrize(
    ("old", "amount", "exit_code", "told"),
    [
        ("active", 1000, 0, "both mean the same"),
        ("active", 500, 1, "~ high\n    when: amount gte: 1000 -> 500"),
        ("1.0.0", 500, 1, "note: version 1.0.0 -> 2.0.0 is raised more than needed"),
    ],
)
@pytest.mark.usefixtures("used")
def test_a_diff_takes_files_and_versions_and_tells_by_its_exit_code(
    shell: Shell, old: str, amount: int, exit_code: int, told: str
) -> None:
    new = rule("high", when=HIGH | {"value": amount})
    version = "1.0.0" if amount == 1000 else "2.0.0"
    content = f"version: {version}\nrules:\n- {json.dumps(new)}\n".encode()
    found, said, _ = shell("diff", old, shell.file(content, "rules.yaml"))
    assert found == exit_code
    assert told in said


def test_a_diff_with_trouble_ends_with_two(used: Store, shell: Shell) -> None:
    assert active_version(used) == "1.0.0"
    exit_code, _, complaint = shell("diff", "active", "7.7.7")
    assert exit_code == 2
    assert "no rule set of version 7.7.7 was ever accepted" in complaint
    wrong = shell.file(b"version: 1\nrules: []\n", "wrong.yaml")
    exit_code, _, complaint = shell("diff", "active", wrong)
    assert exit_code == 2
    assert complaint.startswith(f"error: {wrong} is no right document:\n$.rules: ")


def test_a_document_is_tried_on_events_of_any_time(shell: Shell) -> None:
    rules = document("1.0.0", rule("high", when=HIGH), rule("abroad", when=ABROAD), rapid_fire())
    old = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
    events = [payment_event(f"t{at}", event_time=old, amount="2000.00") for at in range(3)]
    events.append(payment_event("t9", event_time=old, merchant={"id": "m"}))
    lines = [*map(json.dumps, events), json.dumps(events[0]), json.dumps([payment_event("t8")])]
    wrong = json.dumps(payment_event("t7", currency="XXQ"))
    file = shell.file("\n".join([*lines, wrong, "{"]).encode(), "events.jsonl")
    exit_code, said, _ = shell("test", shell.file(rules), "--events", file, "--examples", "1")
    assert exit_code == 0
    assert said.startswith("5 payments, 1 repeated, 2 rejected; nothing was stored")
    assert "rejected at 7: unknown_currency" in said
    assert "rejected at 8: not_json" in said
    assert "high: transaction_id t0" in said
    exit_code, said, _ = shell("test", shell.file(rules), "--events", file, "--json")
    found = {each["rule_id"]: each for each in json.loads(said)["rules"]}
    assert found["high"]["outcomes"] == {"matched": 3}
    assert found["abroad"]["outcomes"] == {"indeterminate": 1}
    assert (found["rapid_fire"]["outcomes"], found["rapid_fire"]["alerts"]) == ({"matched": 1}, 1)


def test_simulated_events_can_be_tried(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = str(tmp_path / "events.jsonl")
    simulated = ["run", "--profile", "clean", "--payments", "300", "--seed", "3", "--quiet"]
    assert simulate([*simulated, "--events", events]) == 0
    assert capsys.readouterr() == ("", "")
    exit_code, said, _ = shell("test", str(SHIPPED_RULES), "--events", events)
    assert exit_code == 0
    assert said.startswith("300 payments, ")


def test_events_of_which_none_is_a_payment_are_an_error(shell: Shell) -> None:
    file = shell.file(b'{"body": "[]"}', "events.jsonl")
    exit_code, said, complaint = shell("test", str(SHIPPED_RULES), "--events", file)
    assert (exit_code, complaint) == (1, f"error: {file} holds no payment that is not rejected")
    assert said.splitlines()[1:] == [
        "  rejected at 1: missing_field: Object missing required field `transaction_id`"
    ]


@pytest.mark.parametrize("layout", ["array", "object"])
def test_events_come_as_an_array_or_as_one_object(shell: Shell, layout: str) -> None:
    event = payment_event(amount="2000.00")
    content = json.dumps([event] if layout == "array" else event, indent=2).encode()
    rules = shell.file(document("1.0.0", rule("high", when=HIGH)))
    exit_code, said, _ = shell("test", rules, "--events", shell.file(content, "e.json"))
    assert exit_code == 0
    assert said.startswith("1 payments, 0 repeated, 0 rejected")


@pytest.mark.parametrize("name", ["rules.yaml", "rules.json"])
def test_what_is_exported_can_be_edited_and_uploaded(used: Store, shell: Shell, name: str) -> None:
    use_rules(used, rule("high", when=LOWER), version="1.1.0")
    path = shell._folder / name
    exit_code, said, _ = shell("export", "-o", str(path))
    assert exit_code == 0
    assert "raise 'version' before you upload it" in said
    found = parse_document(path.read_bytes())
    assert (found["version"], found["based_on"]) == ("1.1.0", "1.1.0")
    assert path.read_bytes().lstrip(b"{\n ").strip(b'"').startswith(b"version")
    assert shell("diff", "active", str(path))[0] == 0


def test_an_older_version_is_exported_as_based_on_the_active_one(used: Store, shell: Shell) -> None:
    use_rules(used, rule("high", when=LOWER), version="1.1.0")
    exit_code, said, complaint = shell("export", "--version", "1.0.0", "--format", "json")
    found = json.loads(said)
    assert (exit_code, found["version"], found["based_on"]) == (0, "1.0.0", "1.1.0")
    assert "raise 'version'" in complaint


def test_a_suppression_is_recorded_with_its_end_reason_and_author(
    used: Store, shell: Shell
) -> None:
    command = ("suppress", "high", "cus-1", "--until", "+8h", "--reason", "load test")
    exit_code, said, _ = shell(*command, "--by", "ada")
    assert exit_code == 0
    assert "new alerts of high for cus-1 until " in said
    found = used.rows("""
        SELECT rule_id, subject, reason, created_by, until - created_at BETWEEN
               interval '7 hours 59 minutes' AND interval '8 hours' FROM rule_suppressions
    """)
    assert found == [("high", "cus-1", "load test", "ada", True)]
    exit_code, said, _ = shell("suppressions")
    assert exit_code == 0
    assert "load test" in said
    ((listed,),) = (json.loads(shell("suppressions", "--json")[1]),)
    assert (listed["rule_id"], listed["by"]) == ("high", "ada")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("hihg", "--until", "+8h"), "has no rule 'hihg'; did you mean 'high'?"),
        (("high", "--until", "2020-01-01T00:00Z"), "ends within 365 days from now"),
        (("high", "--until", "+53w"), "ends within 365 days from now"),
    ],
)
def test_a_suppression_without_sense_is_refused(
    used: Store, shell: Shell, arguments: tuple[str, ...], told: str
) -> None:
    exit_code, said, complaint = shell("suppress", *arguments, "--reason", "a test")
    assert (exit_code, said) == (1, "")
    assert told in complaint
    assert used.value("SELECT count(*) FROM rule_suppressions") == 0
    assert shell("suppressions")[1] == "no suppression is in force"


@pytest.mark.parametrize(
    "arguments",
    [
        ["suppress", "high", "--until", "soon", "--reason", "x"],
        ["suppress", "high", "--until", "+8h"],
        ["suppress", "high", "--until", "+8h", "--reason", " "],
        ["rollback", "1.0.0"],
        ["nonsense"],
        [],
    ],
)
def test_wrong_usage_ends_with_two(shell: Shell, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        shell(*arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (("history",), "DATABASE_URL"),
        (("upload", str(SHIPPED_RULES)), "RulesStorage"),
        (("upload", str(SHIPPED_RULES), "--wait", "1"), "DATABASE_URL"),
    ],
)
def test_a_setting_that_a_command_needs_is_named(
    shell: Shell, command: tuple[str, ...], setting: str
) -> None:
    exit_code, _, complaint = shell(*command)
    assert exit_code == 1
    assert complaint.startswith(f"error: app setting {setting} is missing")


@pytest.mark.parametrize(
    "command",
    "validate diff test upload rollback shadow backtest backfill explain values".split(),  # noqa: SIM905
)
def test_help_teaches_by_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rules", command, "--help"])
    assert ended.value.code == 0
    assert f"example:\n  python -m shared_code rules {command}" in capsys.readouterr().out


def test_the_rules_page_shows_commands_as_they_work() -> None:
    page = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf-8")
    shown = re.findall(r"^    python -m shared_code (rules .+)$", page, re.MULTILINE)
    assert len(shown) >= 15
    for command in shown:
        assert command_line().parse_args(shlex.split(command)).group is not None


@pytest.mark.usefixtures("used")
def test_a_document_may_come_from_standard_input(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[[], bytes] = lambda: document("1.0.0", rule("high", when=HIGH))  # noqa: E731
    stdin = type("Stdin", (), {"buffer": type("Buffer", (), {"read": staticmethod(read)})})
    monkeypatch.setattr("sys.stdin", stdin)
    assert shell("validate", "-")[0] == 0
