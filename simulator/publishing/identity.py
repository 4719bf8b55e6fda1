"""Who is sending, where no connection string says so."""

from typing import TYPE_CHECKING

from simulator.publishing.connection import ProducerSettings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


def credential_of(settings: ProducerSettings) -> "TokenCredential":
    """Return the managed identity if the settings ask for it, else whoever is signed in."""
    # Imported here: it takes half a second that a connection string does not need.
    from azure.identity import (  # noqa: PLC0415 - see above
        DefaultAzureCredential,
        ManagedIdentityCredential,
    )

    if settings.managed_identity:
        return ManagedIdentityCredential(client_id=settings.client_id)
    return DefaultAzureCredential(managed_identity_client_id=settings.client_id)
