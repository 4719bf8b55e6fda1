"""Accepted documents are found in blob storage under their version."""

import uuid

import pytest
from azure.storage.blob import BlobServiceClient

from shared_code.settings import SettingsError
from shared_code.store.errors import StoreUnavailable
from shared_code.store.rule_archive import BlobRuleArchive, blob_service


def test_a_document_is_kept_under_its_version(azurite: str) -> None:
    container = f"rules-{uuid.uuid4().hex}"
    with blob_service({"RulesStorage": azurite}) as service:
        service.create_container(container)
        archive = BlobRuleArchive(service, container)
        for _ in range(2):
            archive.keep("1.2.3", b"{}")
        blob = service.get_blob_client(container, "versions/1.2.3.json")
        assert blob.download_blob().readall() == b"{}"


def test_storage_that_takes_nothing_is_a_fault_that_heals(azurite: str) -> None:
    with BlobServiceClient.from_connection_string(azurite, retry_total=0) as service:
        archive = BlobRuleArchive(service, "no-such-container")
        with pytest.raises(StoreUnavailable, match=r"cannot archive rule set 1\.2\.3"):
            archive.keep("1.2.3", b"{}")


def test_a_missing_connection_is_named() -> None:
    with pytest.raises(SettingsError, match="RulesStorage__blobServiceUri"):
        blob_service({})


def test_an_identity_needs_the_service_s_address_only() -> None:
    uri = "https://rules.blob.core.windows.net/"
    with blob_service({"RulesStorage__blobServiceUri": uri}) as service:
        assert service.url == uri
