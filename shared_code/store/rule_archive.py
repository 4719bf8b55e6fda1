"""Accepted rule documents as blobs, one per version, for people to find."""

import os
from collections.abc import Mapping

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient

from shared_code.settings import SettingsError
from shared_code.store.errors import StoreUnavailable

_CONNECTION = "RulesStorage"


class BlobRuleArchive:
    """Keeps documents as ``versions/VERSION.json`` in the rules container."""

    def __init__(self, service: BlobServiceClient, container: str) -> None:
        self._service = service
        self._container = container

    def keep(self, version: str, content: bytes) -> None:
        """Keep a document under its version; the same again changes nothing.

        Raises:
            StoreUnavailable: the storage account did not take it.
        """
        blob = self._service.get_blob_client(self._container, f"versions/{version}.json")
        try:
            blob.upload_blob(content, overwrite=True)
        except AzureError as error:
            message = f"cannot archive rule set {version} in blob storage: {error}"
            raise StoreUnavailable(message) from error


def blob_service(values: Mapping[str, str] = os.environ) -> BlobServiceClient:
    """Return the client of the storage account that the bindings name ``RulesStorage``.

    As bindings do, it takes a connection string, or the URI of the blob service and the managed
    identity of the app.

    Raises:
        SettingsError: neither is set.
    """
    if connection_string := values.get(_CONNECTION):
        return BlobServiceClient.from_connection_string(connection_string)
    uri = values.get(f"{_CONNECTION}__blobServiceUri")
    if not uri:
        example = "UseDevelopmentStorage=true"
        raise SettingsError(
            _CONNECTION, f"is missing and so is {_CONNECTION}__blobServiceUri", example
        )
    # Imported where needed: it costs a third of a second of every cold start.
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    credential = DefaultAzureCredential(
        managed_identity_client_id=values.get(f"{_CONNECTION}__clientId")
    )
    return BlobServiceClient(uri, credential=credential)
