"""What Terraform would make of each environment, on each plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from deploy.infrastructure.evaluation import Unknown
from deploy.infrastructure.planning import Made, Run, plan

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ("dev", "staging", "production")
PREMIUM = "elastic_premium"
FLEX = "flex_consumption"
EVERY = [(environment, plan_) for environment in ENVIRONMENTS for plan_ in (PREMIUM, FLEX)]


@dataclass(frozen=True)
class Planned:
    """One environment on one plan."""

    plan: str
    run: Run
    made: tuple[Made, ...]

    def of(self, type_: str) -> Iterator[Made]:
        return (each for each in self.made if each.type == f"azurerm_{type_}")

    def only(self, type_: str) -> Made:
        (found,) = self.of(type_)
        return found

    @property
    def app(self) -> Made:
        premium = self.plan == PREMIUM
        return self.only("linux_function_app" if premium else "function_app_flex_consumption")

    def apps(self) -> Iterator[Made]:
        """Yield the app and its slot, if there is one."""
        yield self.app
        yield from self.of("linux_function_app_slot")

    def settings(self, app: Made) -> dict[str, str]:
        """Return the app settings, with those that the provider makes of arguments."""
        settings = dict(app["app_settings"])
        if "storage_account_name" in app:
            settings["AzureWebJobsStorage__accountName"] = app["storage_account_name"]
        return {name: text(value) for name, value in settings.items()}

    def behind(self, unknown: Any) -> Made:
        """Return the resource of which an unknown value is an attribute."""
        assert isinstance(unknown, Unknown), unknown
        address, _, _ = unknown.name.rpartition(".")
        return next(each for each in self.made if each.address == address)

    def roles(self, principal: str) -> set[tuple[str, str]]:
        """Return role and address of what it is for, of the identity in a role of the workload."""
        return {
            (each["role_definition_name"], self.behind(each["scope"]).address)
            for each in self.of("role_assignment")
            if f'.this["{principal}"].principal_id' in text(each["principal_id"])
        }


@cache
def planned(environment: str, plan_: str) -> Planned:
    run = plan(ROOT / "terraform/environments" / environment, ROOT, plan=plan_)
    return Planned(plan_, run, tuple(run.instances()))


def text(value: Any) -> str:
    """Return a value as an app setting holds it."""
    return str(value)


def values_of(made: Made) -> Mapping[str, Any]:
    """Return every value of a resource, and of the blocks in it.

    ``lifecycle`` holds names, and no values.
    """
    return {name: _values(made[name]) for name in made if name != "lifecycle"}


def _values(value: Any) -> Any:
    if isinstance(value, Made):
        return values_of(value)
    return [_values(each) for each in value] if isinstance(value, list) else value
