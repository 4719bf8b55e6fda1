"""``python -m shared_code rules shadow``: started, compared, stopped."""

import json
from datetime import timedelta

import pytest
from payment_messages import NOW, WINDOW_START, messages, payment_event
from rule_documents import document, rapid_fire, rule, use_rules
from rules_shell import ABROAD, FAILED, HIGH, LOWER, Shell, active_version
from store_fixtures import Store


@pytest.mark.parametrize(
    ("start", "stop"),
    [(("shadow", "{}"), ("shadow", "stop")), (("shadow", "start", "{}"), ("shadow", "--stop"))],
)
def test_a_shadow_is_started_and_stopped(
    used: Store, shell: Shell, start: tuple[str, ...], stop: tuple[str, ...]
) -> None:
    file = shell.file(document("2.0.0", rule("high", when=LOWER)))
    command = [part.format(file) for part in start]
    exit_code, said, _ = shell(*command, "--reason", "a week", "--by", "ada")
    assert exit_code == 0
    assert said.startswith("version 2.0.0 runs as a shadow")
    assert active_version(used) == "1.0.0"
    assert shell(*stop, "--by", "bob")[:2] == (
        0,
        "the shadow 2.0.0 has ended; 'rules shadow report' still compares it",
    )
    exit_code, _, complaint = shell(*stop)
    assert exit_code == 1
    assert "no shadow runs" in complaint
    listed = json.loads(shell("history", "--json")[1])["activations"]
    told = [(each["role"], each["by"], each["reason"]) for each in listed[:2]]
    assert told == [("shadow_ended", "bob", "ended"), ("shadow", "ada", "a week")]


def test_a_shadow_is_compared_payment_by_payment_window_by_window_and_alert_by_alert(
    used: Store, shell: Shell
) -> None:
    count = {"function": "count"}
    active = (
        rule("high", when=HIGH),
        rule("failed", "window", when=FAILED, measure=count),
        rapid_fire(times=3),
        rule("gone", when=FAILED),
    )
    use_rules(used, *active, version="1.1.0")
    before = [payment_event(f"before-{at}", amount="2000.00") for at in range(5)]
    used.metrics.process_batch(messages(*before), now=NOW)
    candidate = (
        rule("high", when=LOWER, value={"field": "amount"}),
        rule("failed", "window", measure=count),
        rapid_fire(times=4),
        rule("abroad", when=ABROAD),
    )
    assert shell("shadow", shell.file(document("2.0.0", *candidate)))[0] == 0
    assert "no window was judged by it yet" in shell("shadow", "report")[1]
    amounts = ["100.00", "600.00", "1000.00", "2000.00", "3000.00"]
    after = [
        payment_event(
            f"after-{at}",
            amount=amount,
            event_time=WINDOW_START + timedelta(minutes=15, seconds=at),
            payment_status="failed" if at < 2 else "completed",
            customer={"id": "ada" if at < 3 else "bob"},
            merchant=None if at == 4 else {"id": "m", "country": "DE"},
        )
        for at, amount in enumerate(amounts)
    ]
    used.metrics.process_batch(messages(*after), now=NOW)
    used.metrics.aggregate(NOW)
    exit_code, said, _ = shell("shadow", "report", "--json")
    assert exit_code == 0
    found = json.loads(said)
    assert (found["shadow"]["version"], found["windows"]) == ("2.0.0", 2)
    matches = {each.pop("rule_id"): tuple(each.values()) for each in found["matches"]}
    # Payments that were stored before the shadow started say nothing about it.
    assert matches == {
        "abroad": (0, 0, 0, 0, 1, 0),
        "gone": (0, 2, 0, 0, 0, 0),
        "high": (3, 0, 1, 0, 0, 3),
    }
    values = {each.pop("rule_id"): tuple(each.values()) for each in found["values"]}
    assert values == {"failed": (0, 1, 0, 1), "rapid_fire": (1, 0, 1, 0)}
    alerts = {each.pop("rule_id"): tuple(each.values()) for each in found["alerts"]}
    assert alerts == {"rapid_fire": (1, 1, 0)}
    text = shell("shadow", "report")[1]
    assert "failed" in text
    assert "2 -> 5" in text
    assert shell("shadow", "report", "--hours", "1")[1].endswith("once they are closed")


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize("arguments", [["start"], [], ["stop", "x"], ["report", "--stop"]])
def test_a_shadow_command_without_sense_is_wrong_usage(shell: Shell, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        shell("shadow", *arguments)
    assert ended.value.code == 2
