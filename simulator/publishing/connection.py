"""Where to send payments: a connection string, or a namespace and an identity."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from simulator.errors import InvalidConnection
from simulator.publishing.retry import Patience

# The names that Azure Functions gives to both ways of connecting.
CONNECTION_SETTING: Final = "EventHubConnection"
NAMESPACE_SETTING: Final = f"{CONNECTION_SETTING}__fullyQualifiedNamespace"
CREDENTIAL_SETTING: Final = f"{CONNECTION_SETTING}__credential"
CLIENT_ID_SETTING: Final = f"{CONNECTION_SETTING}__clientId"
DEFAULT_EVENT_HUB: Final = "payments"

_EXAMPLE: Final = (
    "Endpoint=sb://NAMESPACE.servicebus.windows.net/;SharedAccessKeyName=NAME;SharedAccessKey=KEY"
)
_SECRETS: Final = ("sharedaccesskey", "sharedaccesssignature")


@dataclass(frozen=True, slots=True)
class ProducerSettings:
    """How a producer reaches its event hub.

    Attributes:
        event_hub: its name.
        connection_string: with a key, or None.
        fully_qualified_namespace: host name, instead of a connection string; the identity of the
            machine, of the developer or of the environment is used then.
        managed_identity: use the managed identity and no other.
        client_id: of a user-assigned managed identity.
        patience: how long to go on trying.
    """

    event_hub: str = DEFAULT_EVENT_HUB
    connection_string: str | None = field(default=None, repr=False)
    fully_qualified_namespace: str | None = None
    managed_identity: bool = False
    client_id: str | None = None
    patience: Patience = field(default_factory=Patience)

    @classmethod
    def of(
        cls,
        environment: Mapping[str, str],
        *,
        connection_string: str | None = None,
        event_hub: str | None = None,
    ) -> Self:
        """Return the settings that arguments and app settings give; arguments win.

        Raises:
            InvalidConnection: nothing says where to send, or the connection string is no such.
        """
        text = connection_string or environment.get(CONNECTION_SETTING)
        if text:
            parts = _parse(text)
            hub = event_hub or parts.get("entitypath") or DEFAULT_EVENT_HUB
            return cls(event_hub=hub, connection_string=text)
        namespace = environment.get(NAMESPACE_SETTING)
        if not namespace:
            msg = (
                "nothing says where to send: give --connection-string, or set "
                f"{CONNECTION_SETTING} to a connection string or {NAMESPACE_SETTING} to a host "
                "name such as NAMESPACE.servicebus.windows.net; --file writes to a file instead"
            )
            raise InvalidConnection(msg)
        return cls(
            event_hub=event_hub or DEFAULT_EVENT_HUB,
            fully_qualified_namespace=namespace,
            managed_identity=environment.get(CREDENTIAL_SETTING, "").lower() == "managedidentity",
            client_id=environment.get(CLIENT_ID_SETTING),
        )

    @property
    def address(self) -> str:
        """Host of the namespace, and port if one is given: safe to show."""
        if self.connection_string is None:
            return self.fully_qualified_namespace or ""
        return _host(_parse(self.connection_string)["endpoint"])

    @property
    def where(self) -> str:
        """The event hub and its namespace, for messages."""
        return f"event hub {self.event_hub!r} at {self.address}"

    @property
    def emulated(self) -> bool:
        """Whether it is an emulator on this machine, without TLS."""
        parts = _parse(self.connection_string) if self.connection_string else {}
        return parts.get("usedevelopmentemulator", "").lower() == "true"

    @property
    def signed_beforehand(self) -> bool:
        """Whether the connection string holds a signature, which nobody can renew, and no key."""
        parts = _parse(self.connection_string) if self.connection_string else {}
        return "sharedaccesssignature" in parts

    def without_secrets(self, text: str) -> str:
        """Return ``text`` with the key of the connection string blotted out."""
        parts = _parse(self.connection_string) if self.connection_string else {}
        for name in _SECRETS:
            if secret := parts.get(name):
                text = text.replace(secret, "***")
        return text


def _parse(connection_string: str) -> dict[str, str]:
    """Return the parts of a connection string, their names in lower case.

    Raises:
        InvalidConnection: a part is missing; the message never shows the string, which may hold a
            key.
    """
    parts: dict[str, str] = {}
    for part in connection_string.strip().rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise InvalidConnection(_complaint("has a part without a value"))
        parts[name.strip().lower()] = value.strip()
    endpoint = parts.get("endpoint")
    if endpoint is None:
        raise InvalidConnection(_complaint("has no Endpoint"))
    if not endpoint.startswith("sb://") or not _host(endpoint):
        raise InvalidConnection(_complaint("has an Endpoint that does not begin with sb://HOST"))
    if "sharedaccesssignature" not in parts:
        for name in ("SharedAccessKeyName", "SharedAccessKey"):
            if name.lower() not in parts:
                raise InvalidConnection(_complaint(f"has no {name}"))
    return parts


def _host(endpoint: str) -> str:
    return endpoint.removeprefix("sb://").partition("/")[0]


def _complaint(what: str) -> str:
    return f"the connection string {what}; expected one such as {_EXAMPLE}"
