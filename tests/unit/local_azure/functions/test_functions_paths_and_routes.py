import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_azure.functions.errors import ExpressionUnresolved
from local_azure.functions.path_templates import PathTemplate, format_date, path_mistake
from local_azure.functions.routes import RouteInvalid, parse_route

NOW = datetime(2026, 10, 31, 23, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "blob", "names"),
    [
        ("c/in/{name}", "in/a.json", {"name": "a.json"}),
        ("c/in/{name}", "in/sub/a.json", {"name": "sub/a.json"}),
        ("c/in/{name}.json", "in/a.json", {"name": "a"}),
        ("c/in/{name}.json", "in/a.txt", None),
        ("c/in/{name}", "out/a", None),
        ("c/in/{name}", "in/", None),
        ("c/{name}.{extension}", "a.b.c", {"name": "a", "extension": "b.c"}),
        ("c/{date}-{name}", "2026-x-y", {"date": "2026", "name": "x-y"}),
        ("c/plain.json", "plain.json", {}),
        ("c/a.b", "axb", None),
        ("c/{blob-name}", "x", {"blob-name": "x"}),
        ("c/{name}", "line\nbreak", {"name": "line\nbreak"}),
    ],
)
def test_a_path_matches(path: str, blob: str, names: dict[str, str] | None) -> None:
    assert PathTemplate(path).match(blob) == names


@given(st.text("abc./-", min_size=1, max_size=12), st.text("abc./-", min_size=1, max_size=12))
def test_what_a_path_renders_it_also_matches(first: str, second: str) -> None:
    path = PathTemplate("c/in/{a}~{b}.json")
    _, blob = path.render({"a": first, "b": second}, NOW)
    assert path.match(blob) == {"a": first, "b": second}


def test_expressions_are_filled_in_whatever_their_case() -> None:
    path = PathTemplate("c/{NAME}/{DateTime:yyyy-MM-dd}/{datetime:yyyyMMddHHmmss}/{DateTime}")
    assert path.render({"name": "a/b"}, NOW) == (
        "c",
        "a/b/2026-10-31/20261031230507/2026-10-31T23-05-07Z",
    )


def test_random_guids_differ_and_have_two_forms() -> None:
    path = PathTemplate("c/{rand-guid}/{rand-guid:N}")
    first, second = (path.render({}, NOW)[1] for _ in range(2))
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{32}", first)


def test_a_date_is_that_of_utc() -> None:
    east = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert format_date(east, "yy-MM-dd_hh") == "25-12-31_11"


def test_an_unknown_expression_names_what_there_is() -> None:
    with pytest.raises(ExpressionUnresolved, match=r"'\{nmae\}' in 'c/\{nmae\}'.*\{name\}"):
        PathTemplate("c/{nmae}").render({"name": "x"}, NOW)


@pytest.mark.parametrize(
    ("path", "trigger", "mistake"),
    [
        ("rules", False, "a slash between"),
        ("rules/", False, "a slash between"),
        ("/rules/x", False, "a slash between"),
        ("{name}/x", False, "container's name cannot hold"),
        ("Rules/x", False, "is no container name"),
        ("rules/{name", False, "braces do not match"),
        ("rules/}name{", False, "braces do not match"),
        ("rules/{}", False, "is no binding expression"),
        ("rules/{a b}", False, "is no binding expression"),
        ("rules/{rand-guid}", True, "no place in a trigger's path"),
        ("rules/{a}/{a}", True, "stands in it twice"),
        ("rules/{a}{b}", True, "side by side"),
        ("rules/{a}/{DateTime:yyyy}", False, None),
        ("$web/{a}-{b}", True, None),
    ],
)
def test_a_wrong_path_says_why(path: str, trigger: bool, mistake: str | None) -> None:  # noqa: FBT001 -- a column of the table
    found = path_mistake(path, trigger=trigger)
    assert found == mistake if mistake is None else mistake in (found or "")


@pytest.mark.parametrize(
    ("route", "path", "values"),
    [
        ("", "", {}),
        ("orders", "ORDERS", {}),
        ("orders", "orders/1", None),
        ("orders/{id}", "orders/a%20b", {"id": "a b"}),
        ("orders/{id}", "orders", None),
        ("orders/{id:int}", "orders/-17", {"id": "-17"}),
        ("orders/{id:int}", "orders/x", None),
        ("orders/{id?}", "orders", {}),
        ("orders/{id=7}", "orders", {"id": "7"}),
        ("v1/{*path}", "v1/a/b", {"path": "a/b"}),
        ("v1/{*path}", "v1", {"path": ""}),
        ("v1/{*path}", "v2/a", None),
        ("{x:guid}", "6f9619ff-8b86-d011-b42d-00c04fc964ff", None),
        ("{x:guid}", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", {}),
        ("{x:min(3)}", "2", None),
        ("{x:min(3)}", "3", {"x": "3"}),
        ("{x:min(3)}", "x", None),
        ("{x:range(3,5)}", "6", None),
        ("{x:range(3,5)}", "5", {"x": "5"}),
        ("{x:max(3)}", "4", None),
        ("{x:length(2)}", "abc", None),
        ("{x:length(2,3)}", "abc", {"x": "abc"}),
        ("{x:minlength(2)}", "a", None),
        ("{x:maxlength(2):alpha}", "ab", {"x": "ab"}),
        ("{x:maxlength(2):alpha}", "a1", None),
        ("{x:bool}", "True", {"x": "True"}),
        ("{x:datetime}", "2026-10-31", {"x": "2026-10-31"}),
        ("{x:decimal}", "1.5", {"x": "1.5"}),
    ],
)
def test_a_route_matches(route: str, path: str, values: dict[str, str] | None) -> None:
    found = parse_route(route).match(path)
    if route == "{x:guid}":
        assert (found is not None) == (len(path) == 36)
    else:
        assert found == values


def test_specific_routes_come_before_general_ones() -> None:
    routes = [parse_route(text) for text in ("{*all}", "{any}/x", "{id:int}/x", "a/{b}", "a/b")]
    ordered = sorted(routes, key=lambda route: route.precedence)
    assert [route.text for route in ordered] == ["a/b", "a/{b}", "{id:int}/x", "{any}/x", "{*all}"]


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ("/a", "starts with a slash"),
        ("a?b=1", "query string"),
        ("a//b", "a segment is empty"),
        ("a-{b}", "mixes text and braces"),
        ("{b", "mixes text and braces"),
        ("{1b}", "is no parameter"),
        ("{a}/{a}", "twice"),
        ("{*a}/b", "must be the last"),
        ("{a?}/b", "must be the last"),
        ("{a:integer}", "constraint 'integer' is not known"),
    ],
)
def test_a_wrong_route_says_why(route: str, why: str) -> None:
    with pytest.raises(RouteInvalid, match=re.escape(why)):
        parse_route(route)
