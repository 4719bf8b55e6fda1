"""Requests and answers in the form in which the worker passes them."""

from urllib.parse import parse_qsl, urlsplit

import azure.functions as func

from shared_code.web.exchange import Answer, Request


def request_of(req: func.HttpRequest) -> Request:
    """Return a request as the web part takes it.

    The query is read from the address: the worker's own mapping keeps one value of each name, and
    hosts differ in which.
    """
    return Request(
        method=req.method.upper(),
        path=req.route_params.get("path", ""),
        query=tuple(parse_qsl(urlsplit(req.url).query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in req.headers.items()},
    )


def http_response(answer: Answer) -> func.HttpResponse:
    """Return an answer as the worker passes it on."""
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers=dict(answer.all_headers)
    )
