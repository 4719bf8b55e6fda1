"""The page on the modules says what their files say, and is found out when it does not."""

from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.infrastructure.module_reference import module_reference

HUB = """\
variable "hubs" {
  type = map(object({
    partitions = number
    groups     = optional(set(string), [])
  }))
  description = "Hubs, by \\"name\\": a | b."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Tags."
}

# Not of the resource.

# One for each source
# of payments.
resource "azurerm_eventhub" "this" {
  for_each = var.hubs
}

output "ids" {
  description = "Ids of the hubs."
  value       = azurerm_eventhub.this[*].id
}
"""
STACK = """\
module "payments" {
  source = "../hub"
  count  = 2
}
"""
SECTION = """\
## hub

`terraform/modules/hub`

### Inputs of hub

| Input | Type | Default | Meaning |
|---|---|---|---|
| `hubs` | `map(object({ partitions = number, groups = optional(set(string), []) }))` | required |\
 Hubs, by "name": a \\| b. |
| `tags` | `map(string)` | `{}` | Tags. |

### Outputs of hub

| Output | Meaning |
|---|---|
| `ids` | Ids of the hubs. |

### Resources of hub

| Resource | How many | Note |
|---|---|---|
| `azurerm_eventhub.this` | one for each of `var.hubs` | One for each source of payments. |
"""


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    for name, text in (("hub", HUB), ("stack", STACK)):
        file = tmp_path / "terraform/modules" / name / "main.tf"
        file.parent.mkdir(parents=True)
        file.write_text(text, "utf-8")
    (tmp_path / "docs").mkdir()
    return tmp_path


def test_page_holds_what_a_module_takes_gives_and_makes(root: Path) -> None:
    assert SECTION in module_reference(root)


def test_module_that_calls_the_others_comes_first(root: Path) -> None:
    page = module_reference(root)
    assert page.index("## stack") < page.index("## hub")
    assert "| `payments` | [hub](#hub) | `2` |  |" in page


def test_page_is_stale_once_a_module_says_something_else(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check = ["module-reference", "--check", "--root", str(root)]
    assert main(check) == 1
    assert main(["module-reference", "--root", str(root)]) == 0
    assert main(check) == 0
    file = root / "terraform/modules/stack/main.tf"
    file.write_text(STACK.replace("count  = 2", "count  = 3"), "utf-8")
    capsys.readouterr()
    assert main(check) == 1
    assert capsys.readouterr().out.startswith("docs/module-reference.md:1: is not what the modules")


def test_page_of_this_repository_is_up_to_date() -> None:
    assert main(["module-reference", "--check"]) == 0
