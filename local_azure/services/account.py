"""The account that a program runs as when it refuses to run as root."""

import os
import pwd
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from local_azure.services.errors import ServiceMissing

_UNPRIVILEGED = "nobody"


class Account(NamedTuple):
    """An ordinary account; ``mapped`` if it is but the name that root goes by."""

    uid: int
    gid: int
    mapped: bool = False

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}:mapped" if self.mapped else f"{self.uid}:{self.gid}"

    def own(self, folder: Path) -> None:
        """Make a folder the account's; what root owns is a mapped account's already."""
        if not self.mapped:
            os.chown(folder, self.uid, self.gid)


@cache
def can_map_root() -> bool:
    """Tell whether the kernel lets this process enter a user namespace of its own."""
    if sys.platform != "linux":
        return False
    program = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x10000000))"
    return subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603


def account_for(service: str, folder: Path) -> Account | None:
    """Choose the account for a program that refuses root.

    Args:
        service: Name of the service, for the error.
        folder: Its data: an ordinary owner of an existing folder stays the owner.

    Returns:
        None when this process is not root and needs no other account.

    Raises:
        ServiceMissing: This system has no unprivileged account.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError as error:
        raise ServiceMissing(
            service,
            f"it refuses to run as root, and there is no account {_UNPRIVILEGED!r} to run it as. "
            "Run this as an ordinary user.",
        ) from error
    return Account(entry.pw_uid, entry.pw_gid, mapped=can_map_root())
