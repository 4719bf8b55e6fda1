"""HTTP trigger: does the process live? See ``shared_code.web.health``."""

import azure.functions as func

from shared_code.web.health import health
from shared_code.worker.http import http_response, request_of


def main(req: func.HttpRequest) -> func.HttpResponse:
    """Answer anybody, without looking at the database.

    Args:
        req: of the route ``health``.
    """
    return http_response(health(request_of(req)))
