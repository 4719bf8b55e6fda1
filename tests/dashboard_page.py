"""The dashboard as tests look at it: opened, waited for and read, with what went wrong in it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from payment_messages import payment_event
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from local_azure.environment import LocalAzure
from simulator.message import Message

ROOT = Path(__file__).parents[1]
SHOWN = ROOT / ".local" / "screenshots"
VIEWS = ("overview", "windows", "metrics", "alerts", "clusters", "rejected", "rules")
MARKUP = "<img src=x onerror=\"document.title='broken'\"><script>alert(1)</script>"
FORMULA = "=HYPERLINK(1)"
NOTHING = "\N{EN DASH}"
HOSTILE_CUSTOMER = "cus-<b>bold</b>"
# The machine may be busy with other things.
expect.set_options(timeout=30_000)


@dataclass(frozen=True, slots=True)
class Shown:
    """A running pipeline and where its functions answer."""

    local: LocalAzure
    host_url: str


def hostile_messages() -> Iterator[Message]:
    """Yield payments whose texts are markup and formulas, and events that are refused so."""
    start = datetime.now(UTC) - timedelta(minutes=20)
    bodies = [
        payment_event(
            f"hostile-{at}",
            event_time=start + timedelta(seconds=at),
            amount="98765.43",
            currency="USD",
            customer={"id": HOSTILE_CUSTOMER, "email": "eve@example.com", "country": "US"},
            merchant={"id": f"mer-{at}", "name": MARKUP if at % 2 else FORMULA, "country": "US"},
        )
        for at in range(12)
    ]
    refused = payment_event("hostile-refused", currency=f"<i>{MARKUP}</i>")
    for body in (*bodies, refused):
        yield Message(HOSTILE_CUSTOMER, json.dumps(body).encode(), 1)
    yield Message(HOSTILE_CUSTOMER, MARKUP.encode(), 1)


def rules_with_markup() -> Mapping[str, Any]:
    """Return the shipped rules with one rule changed, and one more that is described in markup."""
    document: dict[str, Any] = json.loads(
        (ROOT / "rules" / "metric_derivation_rules.json").read_text("utf-8")
    )
    major, minor, patch = document["version"].split(".")
    document["version"] = f"{major}.{int(minor) + 1}.{patch}"
    first = document["rules"][0]
    first["severity"] = "low"
    added = {**first, "id": "described_in_markup", "description": MARKUP}
    added["metric"] = {**first["metric"], "name": "described_in_markup"}
    document["rules"].append(added)
    return document


def window_place(start: datetime) -> str:
    """Return where the page shows a window."""
    return f"windows/{quote(f'{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}')}"


@dataclass(slots=True)
class DashboardPage:
    """One tab, and everything that went wrong in it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, place: str = "overview") -> None:
        """Go to a place, as ``alerts?severity=high``, and wait until all of it is there."""
        self.page.goto(f"{self.url}#/{place}")
        self.settle()

    def settle(self) -> None:
        """Wait until every panel shows what it was asked for."""
        # A change of the address is noticed in a turn of its own.
        self.page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
        expect(self.page.locator("h1")).to_have_count(1)
        expect(self.page.locator('.panel[aria-busy="true"]')).to_have_count(0)

    def panel(self, title: str) -> Locator:
        """Return the part of the view that has a heading."""
        return self.page.get_by_role("region", name=title, exact=True).filter(
            has=self.page.get_by_role("heading", name=title, exact=True)
        )

    def table(self, caption: str) -> Locator:
        """Return a table by its caption."""
        return self.page.get_by_role("table", name=caption, exact=True)

    def columns(self, caption: str) -> Sequence[str]:
        """Return the headings of a table."""
        return self.table(caption).locator("thead th").all_inner_texts()

    def rows(self, caption: str) -> Sequence[Mapping[str, str]]:
        """Return the rows of a table by the headings of their columns."""
        heads = self.columns(caption)
        cells: list[list[str]] = self.table(caption).evaluate(
            "table => [...table.tBodies[0].rows].map(row => [...row.cells].map(c => c.innerText))"
        )
        return [dict(zip(heads, row, strict=True)) for row in cells]

    def screenshot(self, name: str) -> None:
        """Leave what is seen as an artefact."""
        self.page.screenshot(path=SHOWN / f"{name}.png", full_page=True)


@contextmanager
def dashboard_page(
    chromium: Browser,
    host_url: str,
    *,
    width: int = 1440,
    height: int = 900,
    theme: Literal["light", "dark"] = "light",
) -> Iterator[DashboardPage]:
    """Open a tab of its own, with the page's policy in force, in a zone that is not UTC."""
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        timezone_id="America/New_York",
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    seen = DashboardPage(page, f"{host_url}/api/dashboard")

    def complain(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            seen.complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", lambda dialog: seen.complaints.append(f"a dialog: {dialog.message}"))
    yield seen
    context.close()
