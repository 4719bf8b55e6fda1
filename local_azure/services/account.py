"""The account that a program runs as when it refuses to run as root."""

import os
import pwd
from pathlib import Path

from local_azure.services.errors import ServiceMissing

_UNPRIVILEGED = "nobody"


def account_for(service: str, folder: Path) -> tuple[int, int] | None:
    """Choose the account for a program that refuses root.

    Args:
        service: Name of the service, for the error.
        folder: Its data: an ordinary owner of an existing folder stays the owner.

    Returns:
        User and group id; None when this process is not root and needs no other account.

    Raises:
        ServiceMissing: This system has no unprivileged account.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError as error:
        raise ServiceMissing(
            service,
            f"it refuses to run as root, and there is no account {_UNPRIVILEGED!r} to run it as. "
            "Run this as an ordinary user.",
        ) from error
    return entry.pw_uid, entry.pw_gid
