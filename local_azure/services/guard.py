"""Run one command for as long as the program that asked for it lives.

Started as a script, with the standard library alone: ``guard.py SIGNAL GRACE ACCOUNT COMMAND...``.
Standard input is the lifeline, a pipe whose other end the starting program holds. When that
program ends, however it ends (SIGKILL included), the pipe closes, and the guard stops the command:
with SIGNAL first, with SIGKILL after GRACE seconds. Signals sent to the guard are passed on, and
SIGUSR1 as SIGKILL: killed through its guard, a command is also reaped, while an orphan may stay a
zombie, which PostgreSQL takes for a living server.

ACCOUNT is ``UID:GID`` to run the command as, ``UID:GID:mapped``, or ``-`` to change nothing.
PostgreSQL refuses to run as root, but a folder of root's is often closed to everyone else. Mapped,
the command stays root to the outside and sees itself, and what root owns, as UID and GID
(user_namespaces(7)). Else it becomes that account and keeps the right to pass through folders
(CAP_DAC_OVERRIDE, capabilities(7)) where the kernel allows it. Both spare changing permissions of
folders that are not ours.

Should the guard itself be killed, Linux sends SIGNAL to the command (PR_SET_PDEATHSIG, prctl(2)).

The exit code is the command's own, or 128 + N when signal N ended it, as shells have it.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

_FORWARDED = {
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGINT: signal.SIGINT,
    signal.SIGQUIT: signal.SIGQUIT,
    signal.SIGHUP: signal.SIGHUP,
    signal.SIGUSR1: signal.SIGKILL,
}
_LIFELINE = 0

# linux/sched.h, linux/prctl.h, linux/capability.h
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1


def _become(uid: int, gid: int) -> None:
    """Change this process to an ordinary account that may still pass through any folder."""
    linux = sys.platform == "linux"
    if linux:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if linux:
        capability = 1 << _CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(capability, capability, capability, 0, 0, 0)
        # Where the container does not own the capability both calls fail, and the account has
        # to make do with the permissions that the folders have.
        if libc.capset(ctypes.byref(header), ctypes.byref(sets)) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _call_root(uid: int, gid: int) -> None:
    """Enter a user namespace in which root goes by another name and has no rights of root's."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    for file, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} 0 1"),
        ("gid_map", f"{gid} 0 1"),
    ):
        with open(f"/proc/self/{file}", "w", encoding="ascii") as stream:  # noqa: PTH123 - light start
            stream.write(content)


def _preparation(account: str, stop_signal: signal.Signals) -> Callable[[], None]:
    def prepare() -> None:
        if account != "-":
            uid, gid, *mapped = account.split(":")
            change = _call_root if mapped else _become
            change(int(uid), int(gid))
        if sys.platform == "linux":
            # Last, for a change of account clears it.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)

    return prepare


def run(command: list[str], stop_signal: signal.Signals, grace: float, account: str) -> int:
    """Run the command until it ends or the lifeline breaks.

    Args:
        command: Program and arguments.
        stop_signal: How the command is asked to end.
        grace: Seconds it has for that.
        account: ``UID:GID``, ``UID:GID:mapped`` or ``-``.

    Returns:
        The exit code, as the module describes it.
    """
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    pending: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        pending.append(number)

    for expected in (*_FORWARDED, signal.SIGCHLD):
        signal.signal(expected, note)
    child = subprocess.Popen(  # noqa: S603 - the command is the caller's own argument list
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=_preparation(account, stop_signal),  # noqa: PLW1509 - this process has a single thread
    )
    while child.poll() is None:
        readable, _, _ = select.select([_LIFELINE, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 512)
            while pending:
                number = signal.Signals(pending.pop(0))
                if number in _FORWARDED:
                    child.send_signal(_FORWARDED[number])
        if _LIFELINE in readable and not os.read(_LIFELINE, 512):
            child.send_signal(stop_signal)
            try:
                child.wait(grace)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    _, _stop_signal, _grace, _account, *_command = sys.argv
    sys.exit(run(_command, signal.Signals[_stop_signal], float(_grace), _account))
