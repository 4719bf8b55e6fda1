"""HTTP trigger: can payments be stored and shown? See ``shared_code.web.health``."""

import azure.functions as func

from shared_code.settings import load_reading_settings
from shared_code.store.database import Database
from shared_code.web.health import Probe
from shared_code.worker.http import http_response, request_of

_probe = Probe(Database(load_reading_settings()))


def main(req: func.HttpRequest) -> func.HttpResponse:
    """Answer anybody; what is wrong is told to the log alone.

    Args:
        req: of the route ``ready``.
    """
    return http_response(_probe.ready(request_of(req)))
