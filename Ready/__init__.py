"""HTTP trigger: can payments be stored? See ``shared_code.web.health``."""

import azure.functions as func

from shared_code.store.database import Database
from shared_code.web.health import Probe, probe_settings
from shared_code.worker.http import http_response, request_of

_probe = Probe(Database(probe_settings()))


def main(req: func.HttpRequest) -> func.HttpResponse:
    """Answer anybody; what is wrong is told to the log alone.

    Args:
        req: of the route ``ready``.
    """
    return http_response(_probe.ready(request_of(req)))
