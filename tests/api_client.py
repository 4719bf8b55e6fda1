"""Asks the JSON API as a client does, without a host between: answers are read as it would."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
from store_fixtures import store_settings

from shared_code.store.database import Database
from shared_code.web.api.openapi import openapi_document
from shared_code.web.api.resources import RESOURCES
from shared_code.web.api.serving import JsonApi
from shared_code.web.exchange import Answer, Request

DOCUMENT = json.loads(json.dumps(openapi_document(RESOURCES), default=str))


def utc(moment: datetime) -> str:
    """Return a moment as the API writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class ApiClient:
    """The API on a database, and the moment that it is asked at."""

    url: str
    now: datetime

    @property
    def database(self) -> Database:
        """The database that is looked at; equal settings share its connections."""
        return Database(store_settings(self.url).database)

    def ask(self, address: str, method: str = "GET", **headers: str) -> Answer:
        """Return the answer to an address such as ``windows?limit=3``."""
        parts = urlsplit(address)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method, parts.path, query, given)
        return JsonApi(self.database).answer(request, self.now)

    def get(self, address: str) -> Any:
        """Return what is answered as data, which is as the OpenAPI document says."""
        answer = self.ask(address)
        content = json.loads(answer.body)
        assert answer.status == 200, content
        check_described(address, content)
        return content

    def items(self, address: str) -> list[dict[str, Any]]:
        """Return the items of one page."""
        items: list[dict[str, Any]] = self.get(address)["items"]
        return items

    def all_items(self, address: str) -> list[dict[str, Any]]:
        """Return the items of all pages, one behind the other."""
        page = self.get(address)
        found = page["items"]
        joint = "&" if "?" in address else "?"
        while page["next_cursor"] is not None:
            assert page["items"], "an empty page has no next one"
            page = self.get(f"{address}{joint}cursor={page['next_cursor']}")
            found += page["items"]
        return list(found)

    def problem(self, address: str) -> dict[str, Any]:
        """Return the problem that is answered."""
        answer = self.ask(address)
        assert answer.status >= 400, answer
        assert answer.media_type == "application/problem+json"
        content: dict[str, Any] = json.loads(answer.body)
        assert content["status"] == answer.status
        return content


def check_described(address: str, content: Any) -> None:
    """Check an answer against its schema in the OpenAPI document."""
    segments = urlsplit(address).path.split("/")
    (path,) = [each.path for each in RESOURCES if each.match(segments) is not None][:1]
    answers = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]
    (schema,) = [each["schema"] for name, each in answers.items() if "json" in name]
    rooted = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(
        rooted, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(content)
