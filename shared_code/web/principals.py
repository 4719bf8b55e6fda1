"""Who asks, as App Service says: its sign-in puts a caller's id into headers of the request."""

import os
import re
from collections.abc import Mapping
from typing import Final

from shared_code.web.exchange import Request

NOBODY: Final = "nobody known"
# Set by the platform where its sign-in stands before the app, and there no caller can send headers
# of these names; anywhere else anybody can.
_SIGN_IN: Final = "WEBSITE_AUTH_ENABLED"
_HEADER: Final = "x-ms-client-principal-id"
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


def principal_of(request: Request, environment: Mapping[str, str] = os.environ) -> str:
    """Return the id of who asks, never a name; ``NOBODY`` where no sign-in vouches for it."""
    given = request.headers.get(_HEADER, "")
    vouched = environment.get(_SIGN_IN, "").lower() == "true"
    return given if vouched and _ID.fullmatch(given) else NOBODY
