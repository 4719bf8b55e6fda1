"""HTTP trigger: the JSON API. See ``shared_code.web.api``."""

import logging

import azure.functions as func

from shared_code.web.api.serving import api_of_process
from shared_code.web.principals import principal_of
from shared_code.worker.http import http_response, request_of

_log = logging.getLogger(__name__)
_api = api_of_process()


def main(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one request; nothing can be changed by any.

    Args:
        req: of the route ``v1/{*path}``, with the function's key.
    """
    request = request_of(req)
    answer = _api.answer(request)
    _log.info(
        "%s %s: %d, asked by %s",
        request.method,
        request.logged_path,
        answer.status,
        principal_of(request),
    )
    return http_response(answer)
