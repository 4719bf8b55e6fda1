"""Tells apart, of what the ``azure-eventhub`` SDK raises, what time heals and what it does not.

The SDK files nearly everything under a few classes; what went wrong stands in the AMQP condition
(``EventHubError.error``, without its prefix ``amqp:`` or ``com.microsoft:``), or in the text only.
"""

from enum import Enum, auto
from typing import Final, NamedTuple

from azure.core.exceptions import ClientAuthenticationError
from azure.eventhub.exceptions import AuthenticationError, EventHubError

from simulator.errors import EventHubsRefused, EventHubsUnreachable, SimulatorError
from simulator.publishing.connection import ProducerSettings

_MISSING: Final = frozenset({"not-found", "resource-deleted"})
_MISSING_TEXTS: Final = ("not-found", "not found", "could not be found")
_THROTTLED: Final = frozenset({"server-busy"})
_TOO_LARGE: Final = frozenset({"link:message-size-exceeded"})
_FORBIDDEN: Final = frozenset({"unauthorized-access"})
# What the service says no to, however often it is asked.
_NEVER: Final = frozenset(
    {
        "decode-error",
        "entity-disabled",
        "invalid-field",
        "not-allowed",
        "not-implemented",
        "precondition-failed",
        "resource-limit-exceeded",
    }
)
_REFUSING_STATUS: Final = ("Status code: 401", "Status code: 403")


class Remedy(Enum):
    """What may help."""

    NONE = auto()
    WAIT = auto()
    RECONNECT = auto()


class Fault(NamedTuple):
    """What went wrong: what may help, and the error if nothing did, in one line without a key."""

    remedy: Remedy
    error: SimulatorError


def diagnose(error: EventHubError | ClientAuthenticationError, settings: ProducerSettings) -> Fault:
    """Return what went wrong in an operation of the SDK."""
    where = settings.where
    if identity := _identity_error(error):
        text = _first_line(settings, identity.message)
        msg = f"no identity to present to {where}: {text}; sign in, or give a connection string"
        return Fault(Remedy.NONE, EventHubsRefused(msg))
    assert isinstance(error, EventHubError)  # noqa: S101 - all else is an identity's error
    line = _first_line(settings, str(error))
    if refusal := _refusal(error, settings, line):
        return Fault(Remedy.NONE, EventHubsRefused(refusal))
    if error.error in _THROTTLED:
        msg = f"{where} is throttling; send more slowly (--rate), or buy throughput units: {line}"
        return Fault(Remedy.WAIT, EventHubsUnreachable(msg))
    if _expired(error):
        msg = f"{where} takes every token for expired: {line}; is this machine's clock right?"
        return Fault(Remedy.RECONNECT, EventHubsUnreachable(msg))
    msg = f"cannot reach {where}: {line}; is the service running there?"
    return Fault(Remedy.RECONNECT, EventHubsUnreachable(msg))


def _refusal(error: EventHubError, settings: ProducerSettings, line: str) -> str | None:
    """Return what to say of an error that no time heals, None of any other."""
    condition, where = error.error, settings.where
    if condition in _MISSING or any(sign in str(error) for sign in _MISSING_TEXTS):
        return f"there is no {where}; create it, or name another by --event-hub"
    if condition in _TOO_LARGE:
        return f"{where} takes no message as large as this one; pack fewer payments into one"
    if _expired(error):
        return _dead_signature(settings)
    if condition in _FORBIDDEN or _is_refused_token(error):
        return f"{where} refuses the key or identity; does it have the right to send? {line}"
    if condition in _NEVER:
        return f"{where} refuses: {condition}, {line}"
    return None


def _identity_error(error: Exception) -> ClientAuthenticationError | None:
    """Return what azure-identity raised; the SDK leaves it as the context of its own error."""
    for candidate in (error, error.__context__):
        if isinstance(candidate, ClientAuthenticationError):
            return candidate
    return None


def _expired(error: EventHubError) -> bool:
    """Tell whether the token has expired; there is no condition of its own for that."""
    concerns_token = isinstance(error, AuthenticationError) or error.error in _FORBIDDEN
    return concerns_token and "expired" in str(error).lower()


def _dead_signature(settings: ProducerSettings) -> str | None:
    """Return what to say of a token that nobody can renew, None if a fresh one may help."""
    if not settings.signed_beforehand:
        return None
    return (
        f"the signature in the connection string to {settings.where} has expired; "
        "make a new one, or give a key"
    )


def _is_refused_token(error: EventHubError) -> bool:
    # A token that was not answered in time, or met a server error, is no refusal.
    return isinstance(error, AuthenticationError) and any(
        status in str(error) for status in _REFUSING_STATUS
    )


def _first_line(settings: ProducerSettings, text: str) -> str:
    return settings.without_secrets(text).partition("\n")[0]
