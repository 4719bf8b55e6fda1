"""HTTP trigger: the files of the dashboard. See ``shared_code.web.dashboard.files``."""

from urllib.parse import urlsplit

import azure.functions as func

from shared_code.web.dashboard.files import answer


def main(request: func.HttpRequest) -> func.HttpResponse:
    """Answer with a file; they hold no data, so that no key is asked for."""
    found = answer(
        request.route_params.get("path") or "",
        if_none_match=request.headers.get("If-None-Match"),
        ends_with_slash=urlsplit(request.url).path.endswith("/"),
    )
    body = b"" if request.method == "HEAD" else found.body
    return func.HttpResponse(body, status_code=found.status, headers=dict(found.headers))
