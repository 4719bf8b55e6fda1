"""The description of hubs, and what is said about a wrong one."""

import pytest

from local_azure.event_hubs import EventHubsConfig, EventHubsConfigError, HubConfig, parse_config
from local_azure.event_hubs.config import parse_hub_argument


def problems(document: object) -> tuple[str, ...]:
    with pytest.raises(EventHubsConfigError) as raised:
        parse_config(document)
    return raised.value.problems


def test_a_full_description_is_read() -> None:
    document = {
        "hubs": {
            "payments": {"partitions": 8, "consumer_groups": ["metrics"], "retention_hours": 48},
            "audit": None,
        }
    }

    assert parse_config(document) == EventHubsConfig(
        (HubConfig("payments", 8, ("metrics",), 48), HubConfig("audit", 4, (), 24))
    )


def test_default_always_exists_and_may_be_named() -> None:
    hub = parse_config({"hubs": {"h": {"consumer_groups": ["$default", "a"]}}}).hubs[0]

    assert hub.all_groups == ("$Default", "a")


def test_every_mistake_is_reported_with_its_path() -> None:
    found = problems(
        {
            "hub": {},
            "hubs": {
                "-bad": {"partitions": 0},
                "good": {"partition": 3, "retention_hours": 9999, "consumer_groups": "metrics"},
                "GOOD": {"partitions": True, "consumer_groups": ["a", "A", "b/c", 5]},
                "text": "4",
                7: {},
            },
        }
    )

    assert [problem.partition(": ")[0] for problem in found] == [
        "hub",
        "hubs.-bad",
        "hubs.-bad.partitions",
        "hubs.good.partition",
        "hubs.good.retention_hours",
        "hubs.good.consumer_groups",
        "hubs.GOOD",
        "hubs.GOOD.partitions",
        "hubs.GOOD.consumer_groups[1]",
        "hubs.GOOD.consumer_groups[2]",
        "hubs.GOOD.consumer_groups[3]",
        "hubs.text",
        "hubs.7",
    ]


@pytest.mark.parametrize("document", [None, [], {}, {"hubs": {}}, {"hubs": ["payments"]}])
def test_without_hubs_an_example_is_shown(document: object) -> None:
    assert any('{"hubs": {"payments"' in problem for problem in problems(document))


@pytest.mark.parametrize(
    ("argument", "hub"),
    [
        ("payments", HubConfig("payments")),
        ("payments:2", HubConfig("payments", 2)),
        ("payments:2:metrics", HubConfig("payments", 2, ("metrics",))),
        ("payments::a,b", HubConfig("payments", 4, ("a", "b"))),
    ],
)
def test_a_hub_is_described_in_one_argument(argument: str, hub: HubConfig) -> None:
    assert parse_hub_argument(argument) == hub


@pytest.mark.parametrize("argument", ["", "payments:x", "payments:99", "payments:4:a,,b"])
def test_a_wrong_hub_argument_is_refused(argument: str) -> None:
    with pytest.raises(EventHubsConfigError):
        parse_hub_argument(argument)
