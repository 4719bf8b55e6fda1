"""What the browser is given of the page, and what it is told to refuse."""

import re
from pathlib import Path

import azure.functions as func
import pytest

import Dashboard
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus, Severity
from shared_code.web.dashboard.files import answer

FOLDER = Path(__file__).parents[3] / "shared_code" / "web" / "dashboard"
OWN_SCRIPTS = [file for file in sorted(FOLDER.rglob("*.js")) if file.parent.name != "vendor"]


def request(path: str = "", *, method: str = "GET", slash: str = "") -> func.HttpRequest:
    return func.HttpRequest(
        method=method,
        url=f"https://payments.example/api/dashboard{path and '/'}{path}{slash}",
        route_params={"path": path} if path else {},
        body=b"",
    )


def test_the_page_is_html_that_may_load_and_reach_only_its_own() -> None:
    page = Dashboard.main(request())
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_every_file_that_the_page_names_is_there() -> None:
    page = answer("", if_none_match=None).body.decode()
    named = re.findall(r'(?:src|href)="dashboard/([^"]+)"', page)
    assert len(named) >= 4
    for name in named:
        assert answer(name, if_none_match=None).status == 200, name


@pytest.mark.parametrize("script", OWN_SCRIPTS, ids=lambda file: str(file.relative_to(FOLDER)))
def test_every_module_that_a_script_imports_is_there(script: Path) -> None:
    imported = re.findall(r'(?m)^(?:import|export)[^"]*from "([^"]+)"', script.read_text())
    for name in imported:
        file = (script.parent / name).resolve().relative_to(FOLDER)
        found = answer(file.as_posix(), if_none_match=None)
        assert found.headers["Content-Type"] == "text/javascript; charset=utf-8", name


@pytest.mark.parametrize("script", OWN_SCRIPTS, ids=lambda file: str(file.relative_to(FOLDER)))
def test_no_script_turns_text_into_markup_or_code(script: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    assert not re.search(forbidden, script.read_text())


def test_a_file_that_the_browser_has_is_not_sent_again() -> None:
    first = answer("app.js", if_none_match=None)
    for known in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
        again = answer("app.js", if_none_match=known)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert answer("app.js", if_none_match='"other"').status == 200


@pytest.mark.parametrize(
    "path", ["files.py", "../../settings.py", "vendor", "index.html", "APP.JS", "vendor/README.md"]
)
def test_nothing_else_of_the_folder_can_be_asked_for(path: str) -> None:
    refused = Dashboard.main(request(path))
    assert refused.status_code == 404
    assert refused.headers["X-Content-Type-Options"] == "nosniff"


def test_a_slash_at_the_end_is_led_back_to_where_relative_addresses_work() -> None:
    moved = Dashboard.main(request(slash="/"))
    assert (moved.status_code, moved.headers["Location"]) == (308, "../dashboard")


def test_head_has_the_headers_and_no_body() -> None:
    head = Dashboard.main(request("app.js", method="HEAD"))
    assert head.headers["ETag"] == answer("app.js", if_none_match=None).headers["ETag"]
    assert head.get_body() == b""


def test_the_licence_of_the_charting_library_is_served_beside_it() -> None:
    licence = answer("vendor/uPlot-LICENSE.txt", if_none_match=None).body
    assert b"Permission is hereby granted" in licence


@pytest.mark.parametrize(
    ("constant", "vocabulary"),
    [("METHODS", PaymentMethod), ("STATUSES", PaymentStatus), ("SEVERITIES", Severity)],
)
def test_filters_offer_the_members_of_the_vocabularies(
    constant: str, vocabulary: type[PaymentMethod | PaymentStatus | Severity]
) -> None:
    listed = re.search(rf"{constant} = \[([^\]]*)\]", (FOLDER / "vocabularies.js").read_text())
    assert listed is not None
    assert set(re.findall(r'"(\w+)"', listed[1])) == {member.name for member in vocabulary}
