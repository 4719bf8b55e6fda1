"""The OpenAPI 3.1 document, made from the table of resources."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from shared_code.web.csv_text import CSV_TYPE
from shared_code.web.parameters import MOST_VALUES, Parameter
from shared_code.web.problems import PROBLEM_TYPE, ProblemDetails
from shared_code.web.representation import JSON_TYPE
from shared_code.web.resources import Resource

_VERSION: Final = "1.0.0"
_SCHEMAS: Final = "#/components/schemas/{name}"
_PROBLEMS: Final = {
    "400": "A parameter is wrong.",
    "401": "The function's key is missing or wrong.",
    "404": "There is no such thing.",
    "422": "The parameters make no sense together, or a cursor is of another query.",
    "503": "The database cannot be reached, or others are asking; see Retry-After.",
    "504": "The database took too long; see Retry-After.",
}
_HEADERS: Final = {
    "ETag": {
        "description": "For If-None-Match: what was asked for has not changed.",
        "schema": {"type": "string"},
    },
}
_NEXT: Final = {
    "Link": {"description": "The next page, rel=next.", "schema": {"type": "string"}},
}


def openapi_document(resources: Sequence[Resource]) -> dict[str, Any]:
    """Return the document that describes resources, fit for JSON."""
    items = [each.item for each in resources if each.item is not None]
    _, schemas = msgspec.json.schema_components(
        [*dict.fromkeys(items), ProblemDetails], ref_template=_SCHEMAS
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Payment metrics",
            "version": _VERSION,
            "description": "What the pipeline counted, and what its rules found. Nothing can be"
            " changed. Times are UTC and spans half-open; amounts are decimal strings at the scale"
            " of their currency.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"function_key": []}, {"function_key_in_query": []}],
        "paths": {
            **{each.path: {"get": _operation(each)} for each in resources},
            "/openapi.json": {"get": _document_operation()},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "function_key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "function_key_in_query": {"type": "apiKey", "in": "query", "name": "code"},
            },
        },
    }


def _operation(resource: Resource) -> dict[str, Any]:
    content = {JSON_TYPE: {"schema": _answer_schema(resource)}}
    headers: dict[str, Any] = dict(_HEADERS)
    if resource.key_types is not None:
        content[CSV_TYPE] = {"schema": {"type": "string"}}
        headers |= _NEXT
    return {
        "operationId": resource.name,
        "summary": resource.summary,
        "parameters": [_parameter(each) for each in resource.parameters],
        "responses": {
            "200": {"description": resource.summary, "headers": headers, "content": content},
            **_other_responses(),
        },
    }


def _document_operation() -> dict[str, Any]:
    summary = "This document."
    content = {JSON_TYPE: {"schema": {"type": "object"}}}
    return {
        "operationId": "openapi",
        "summary": summary,
        "responses": {
            "200": {"description": summary, "headers": _HEADERS, "content": content},
            **_other_responses(),
        },
    }


def _other_responses() -> dict[str, Any]:
    schema = {"$ref": _SCHEMAS.format(name=ProblemDetails.__name__)}
    problems = {
        status: {"description": text, "content": {PROBLEM_TYPE: {"schema": schema}}}
        for status, text in _PROBLEMS.items()
    }
    # Keys are checked by the host, before anything of ours runs.
    del problems["401"]["content"]
    return {"304": {"description": "What the client holds is what it would get."}, **problems}


def _answer_schema(resource: Resource) -> dict[str, Any]:
    if resource.item is None:
        return {"type": "object"}
    one = {"$ref": _SCHEMAS.format(name=resource.item.__name__)}
    if resource.key_types is None:
        return one
    return {
        "type": "object",
        "required": ["items", "next_cursor", "as_of"],
        "additionalProperties": False,
        "properties": {
            "items": {"type": "array", "items": one},
            "next_cursor": {"type": ["string", "null"]},
            "as_of": {"type": "string", "format": "date-time"},
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = parameter.kind.schema()
    if parameter.repeated:
        schema = {"type": "array", "items": schema, "maxItems": MOST_VALUES}
    if parameter.default is not None:
        schema["default"] = parameter.kind.read(parameter.default)
    described = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.meaning,
        "schema": schema,
    }
    if parameter.repeated:
        described |= {"style": "form", "explode": True}
    return described
