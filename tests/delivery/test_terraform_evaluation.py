"""Expressions have the values that Terraform gives them, and what is not known is refused."""

import json
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from deploy.infrastructure.errors import NotEvaluated
from deploy.infrastructure.evaluation import Unknown, evaluate
from deploy.infrastructure.hcl import parse
from deploy.infrastructure.planning import plan

KNOWN = [
    ('"a" == "b" ? 1 : 2', 2),
    ("1 + 2 * 3 - 4 / 2", 5),
    ("!(1 < 2) || 7 % 4 >= 3 && true", True),
    ('"x-${1 + 1}-${true ? "y" : "z"}"', "x-2-y"),
    ('"${[1, 2]}"', [1, 2]),
    (r'"a \"quoted\" $${text}"', 'a "quoted" ${text}'),
    ('{ a = 1, "b" = [2], (upper_case) = null }', {"a": 1, "b": [2], "c": None}),
    ("[for x in [1, 2, 3] : x * 2 if x != 2]", [2, 6]),
    ('{ for k, v in { a = 1, b = 2 } : "${k}!" => v }', {"a!": 1, "b!": 2}),
    ('[for i, x in ["a", "b"] : "${i}${x}"]', ["0a", "1b"]),
    ("[{ a = 1 }, { a = 2 }][*].a", [1, 2]),
    ("{ a = [{ b = 3 }] }.a[0].b", 3),
    ("merge([{ a = 1 }, { b = 2 }]...)", {"a": 1, "b": 2}),
    ('try({ a = 1 }.b, "none")', "none"),
    ('can(regex("^[a-z]+$", "ab1"))', False),
    ("one([])", None),
    ("flatten([[1], [[2], 3]])", [1, 2, 3]),
    ('sort(concat(["b"], keys({ c = 1, a = 2 })))', ["a", "b", "c"]),
    ('join("-", ["a", "b"])', "a-b"),
    ('replace("a-b-c", "-", "")', "abc"),
    ("tostring(true)", "true"),
    ('tolist(toset(["b", "a", "b"]))', ["a", "b"]),
    ('contains(["a"], "a") && endswith("abc", "bc") && strcontains("abc", "b")', True),
    ('cidrsubnet("10.42.0.0/22", 2, 3)', "10.42.3.0/24"),
    ('cidrhost("10.42.0.0/24", 4)', "10.42.0.4"),
    ('compact(["a", null, ""])', ["a"]),
    ('coalesce(null, "", "c")', "c"),
    ('length(setsubtract(["a", "b"], ["b"]))', 1),
    ('index(["a", "b"], "b")', 1),
    ("alltrue([true, false]) || anytrue([true, false])", True),
    ('trimspace(" a ")', "a"),
    ("values({ b = 1, a = 2 })", [2, 1]),
    ("null == null", True),
]


def value(text: str, **scope: Any) -> Any:
    """Return the value of an expression; ``c`` stands for a name in parentheses."""
    file = parse(f"x = {text}\n", Path("x.tf"))
    return evaluate(file.attributes[0].value, scope)


@pytest.mark.parametrize(("text", "expected"), KNOWN)
def test_expression_has_its_value(text: str, expected: Any) -> None:
    assert value(text, upper_case="c") == expected


@pytest.mark.skipif(which("terraform") is None, reason="terraform is not installed to compare with")
def test_terraform_gives_the_same_values(tmp_path: Path) -> None:
    listed = ", ".join(text.replace("upper_case", '"c"') for text, _ in KNOWN)
    said = subprocess.run(
        ["terraform", "console"],
        cwd=tmp_path,
        input=f"jsonencode([{listed}])",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(json.loads(said)) == [expected for _, expected in KNOWN]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thing.id", "thing.id"),
        ("thing.keys[0].value", "thing.keys[0].value"),
        ("tostring(thing.id)", "tostring(${thing.id})"),
        ('thing.id == "x"', "${thing.id} == x"),
    ],
)
def test_what_azure_alone_knows_stays_unknown(text: str, expected: str) -> None:
    assert value(text, thing=Unknown("thing")) == Unknown(expected)


def test_text_names_what_is_unknown_in_it() -> None:
    assert value('"https://${thing.host}/"', thing=Unknown("thing")) == "https://${thing.host}/"


def test_what_will_be_known_is_not_null() -> None:
    assert value("thing.id != null", thing=Unknown("thing")) is True


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nothing", "nothing is named nothing"),
        ("{ a = 1 }.b", "nothing is at b"),
        ("[1][1]", "nothing is at 1"),
        ('templatefile("x", {})', "the function templatefile"),
        ("one([1, 2])", "one of several values"),
        ('regex("b", "a")', "b in a"),
    ],
)
def test_what_has_no_value_here_is_refused(text: str, problem: str) -> None:
    with pytest.raises(NotEvaluated, match=f"cannot be evaluated: {problem}"):
        value(text)


STACK = """\
variable "hubs" {
  type = map(object({
    groups = optional(list(string), ["all"])
    size   = optional(number)
  }))

  validation {
    condition     = length(var.hubs) < 3
    error_message = "Too many hubs."
  }
}

module "hub" {
  source   = "../hub"
  for_each = var.hubs
  name     = each.key
  groups   = each.value.groups
}

output "ids" {
  value = { for name, hub in module.hub : name => hub.id }
}
"""
HUB = """\
variable "name" {
  type = string
}

variable "groups" {
  type = set(string)
}

resource "azurerm_eventhub" "this" {
  name = "hub-${var.name}"

  dynamic "capture_description" {
    for_each = var.groups

    content {
      encoding = capture_description.value
    }
  }
}

resource "azurerm_eventhub_consumer_group" "this" {
  for_each      = var.groups
  name          = each.value
  eventhub_name = azurerm_eventhub.this.name
}

resource "azurerm_eventhub_consumer_group" "never" {
  count = 0
}

output "id" {
  value = azurerm_eventhub.this.id
}
"""


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> Path:
    for name, text in (("stack", STACK), ("hub", HUB)):
        file = tmp_path / "terraform" / name / "main.tf"
        file.parent.mkdir(parents=True)
        file.write_text(text, "utf-8")
    folder = tmp_path / "terraform/stack"
    (folder / "terraform.tfvars").write_text(
        'hubs = {\n  a = {}\n  b = { groups = ["x", "y"] }\n}\n'
    )
    return folder


def test_plan_holds_every_resource_with_its_address(environment: Path) -> None:
    made = plan(environment, environment.parents[1]).instances()
    assert [each.address for each in made] == [
        'module.hub["a"].azurerm_eventhub.this',
        'module.hub["a"].azurerm_eventhub_consumer_group.this["all"]',
        'module.hub["b"].azurerm_eventhub.this',
        'module.hub["b"].azurerm_eventhub_consumer_group.this["x"]',
        'module.hub["b"].azurerm_eventhub_consumer_group.this["y"]',
    ]


def test_plan_knows_what_files_set_and_no_more(environment: Path) -> None:
    run = plan(environment, environment.parents[1])
    group = list(run.instances())[-1]
    assert (group["name"], group["eventhub_name"]) == ("y", "hub-b")
    assert str(run.outputs["ids"]["b"]) == '${module.hub["b"].azurerm_eventhub.this.id}'


def test_dynamic_block_stands_once_for_each_element(environment: Path) -> None:
    hubs = [
        each
        for each in plan(environment, environment.parents[1]).instances()
        if each.type == "azurerm_eventhub"
    ]
    captured = [[block["encoding"] for block in each["capture_description"]] for each in hubs]
    assert captured == [["all"], ["x", "y"]]


def test_values_that_a_variable_refuses_are_told(environment: Path) -> None:
    root = environment.parents[1]
    assert list(plan(environment, root).refusals()) == []
    too_many = {name: {} for name in "abc"}
    assert list(plan(environment, root, hubs=too_many).refusals()) == ["var.hubs: Too many hubs."]
