"""What every trigger needs of the host."""

from dataclasses import dataclass

from local_azure.functions.blob_stores import BlobStores
from local_azure.functions.invoker import Invoker
from local_azure.functions.settings import Settings


@dataclass(frozen=True, slots=True)
class HostServices:
    """Shared by all triggers of a host.

    Attributes:
        host_id: names the project in the host's storage.
    """

    host_id: str
    settings: Settings
    stores: BlobStores
    invoker: Invoker
