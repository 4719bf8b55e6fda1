"""Rule documents as blobs: uploads that wait, the active one, and accepted ones by version."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, BlobServiceClient

from shared_code.errors import PaymentsError
from shared_code.rules.errors import RuleError
from shared_code.settings import SettingsError, load_rules_container
from shared_code.store.database import Database
from shared_code.store.errors import StoreUnavailable
from shared_code.store.rule_store import document_hash, rule_sets_in_force, stored_document

ACTIVE_BLOB: Final = "active/metric_derivation_rules.json"

_CONNECTION: Final = "RulesStorage"
_UPLOADED_BY: Final = "uploaded_by"
_REASON: Final = "reason"
# Each attempt loses only to another writer, of which there are hardly ever two at a time.
_ATTEMPTS: Final = 5


class KeptDocument(NamedTuple):
    """A document in blob storage, who put it there and why; empty if that was not recorded."""

    content: bytes
    etag: str
    written_at: datetime
    by: str
    reason: str


class VersionTaken(PaymentsError):
    """Another document of the same version was uploaded before."""

    def __init__(self, version: str, earlier: KeptDocument) -> None:
        by = f" by {earlier.by}" if earlier.by else ""
        super().__init__(
            f"version {version} was uploaded already{by} at"
            f" {earlier.written_at:%Y-%m-%d %H:%M:%S} UTC, with other content; see"
            " 'rules history', raise the version and upload again"
        )
        self.version = version
        self.earlier = earlier


class BlobRuleArchive:
    """Keeps documents in the rules container: what arrives, what is active, what was accepted."""

    def __init__(self, service: BlobServiceClient, container: str) -> None:
        self._service = service
        self._container = container

    def keep(self, version: str, content: bytes) -> None:
        """Keep a document under its version; the same again changes nothing.

        Raises:
            StoreUnavailable: the storage account did not take it.
        """
        with _unavailable(f"archive rule set {version} in"):
            self._blob(f"versions/{version}.json").upload_blob(content, overwrite=True)

    def handed_in(self, name: str, content: bytes) -> tuple[str, str]:
        """Return who uploaded a document as a blob, and why; empty if that was not recorded.

        Args:
            name: of the blob, as its trigger has it: with or without the container.
            content: of the document; of another that the blob holds by now nothing is told.

        Raises:
            StoreUnavailable: the storage account did not answer.
        """
        with _unavailable(f"read who uploaded {name} from"):
            found = _read(self._blob(name.removeprefix(f"{self._container}/")))
        if found is None or found.content != content:
            return "", ""
        # Anybody may write metadata, and no database column takes NUL.
        return found.by.replace("\0", ""), found.reason.replace("\0", "")

    def offer(self, version: str, content: bytes, by: str, reason: str = "") -> bool:
        """Upload a document to be activated; tell whether it was put there just now.

        A version has one place, which whoever comes first takes, so that two people never overwrite
        each other. It is free again once its document was refused.

        Args:
            version: of the document.
            content: the document in its canonical form.
            by: who uploads it; kept with it, as is the reason.
            reason: why.

        Raises:
            VersionTaken: another document waits there or was accepted.
            StoreUnavailable: the storage account did not take it.
        """
        blob = self._blob(f"incoming/{version}.json")
        given = {_UPLOADED_BY: by, _REASON: reason}
        metadata = {name: quote(value) for name, value in given.items() if value}
        for _ in range(_ATTEMPTS):
            with _unavailable(f"upload rule set {version} to"):
                earlier = _read(blob)
                refused = earlier is not None and self.refusal(version, earlier.content) is not None
                if earlier is not None and not refused:
                    if earlier.content == content:
                        return False
                    raise VersionTaken(version, earlier)
                if _put(blob, content, earlier, metadata):
                    return True
        message = f"others upload version {version} at the same time; try again"
        raise StoreUnavailable(message)

    def refusal(self, version: str, content: bytes) -> tuple[RuleError, ...] | None:
        """Return why an uploaded document was refused; None if there is no report of just that.

        Raises:
            StoreUnavailable: the storage account did not answer.
        """
        with _unavailable(f"read the report on rule set {version} from"):
            found = _read(self._blob(f"rejected/{version}.json"))
        report: Any = {} if found is None else json.loads(found.content)
        if report.get("sha256") != document_hash(content).hex():
            return None
        return tuple(RuleError(**error) for error in report["errors"])

    def active(self) -> KeptDocument | None:
        """Return the document that instances find first; None before the first activation.

        Raises:
            StoreUnavailable: the storage account did not answer.
        """
        with _unavailable("read the active rule set from"):
            return _read(self._blob(ACTIVE_BLOB))

    def replace_active(self, content: bytes, found: KeptDocument | None) -> bool:
        """Write the active document in the place of what was found there.

        Returns:
            False if it is not what was found any more; nothing is written then.

        Raises:
            StoreUnavailable: the storage account did not take it.
        """
        with _unavailable("write the active rule set to"):
            return _put(self._blob(ACTIVE_BLOB), content, found)

    def _blob(self, name: str) -> BlobClient:
        return self._service.get_blob_client(self._container, name)


def publish_active(archive: BlobRuleArchive, database: Database) -> str | None:
    """Bring the active blob to what is active in the database; return the version.

    The blob is looked at before the database and written only if nobody wrote it since, then both
    are looked at again: of several at once, none leaves an older document behind. None if nothing
    was ever activated.

    Raises:
        StoreUnavailable: storage or database failed, or others kept writing.
    """
    for _ in range(_ATTEMPTS):
        found = archive.active()
        with database.transaction() as connection:
            active = rule_sets_in_force(connection).active
            if active is None:
                return None
            document = stored_document(connection, active.rule_set)
        if found is not None and found.content == document:
            return active.version
        archive.replace_active(document, found)
    message = (
        f"{ACTIVE_BLOB} differs from the active rule set after {_ATTEMPTS} attempts, since others"
        " write it, too; instances go by the database, and the next tick of AggregateMetrics heals"
    )
    raise StoreUnavailable(message)


def archive_of(values: Mapping[str, str] = os.environ) -> BlobRuleArchive | None:
    """Return the archive that app settings name; None if they name no storage account.

    Raises:
        SettingsError: a setting is wrong.
    """
    if not (values.get(_CONNECTION) or values.get(f"{_CONNECTION}__blobServiceUri")):
        return None
    return BlobRuleArchive(blob_service(values), load_rules_container(values))


def blob_service(
    values: Mapping[str, str] = os.environ, connection: str = _CONNECTION
) -> BlobServiceClient:
    """Return the client of a storage account, which the bindings name ``RulesStorage``.

    As bindings do, it takes a connection string, or the URI of the blob service and the managed
    identity of the app.

    Raises:
        SettingsError: neither is set.
    """
    if connection_string := values.get(connection):
        return BlobServiceClient.from_connection_string(connection_string)
    uri = values.get(f"{connection}__blobServiceUri")
    if not uri:
        example = "UseDevelopmentStorage=true"
        raise SettingsError(
            connection, f"is missing and so is {connection}__blobServiceUri", example
        )
    # Imported where needed: it costs a third of a second of every cold start.
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    credential = DefaultAzureCredential(
        managed_identity_client_id=values.get(f"{connection}__clientId")
    )
    return BlobServiceClient(uri, credential=credential)


@contextmanager
def _unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        message = f"cannot {what} blob storage: {str(error).partition('\n')[0]}"
        raise StoreUnavailable(message) from error


def _read(blob: BlobClient) -> KeptDocument | None:
    try:
        download = blob.download_blob()
        content = download.readall()
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) == "ContainerNotFound":
            raise
        return None
    found = download.properties
    by, reason = (unquote((found.metadata or {}).get(name, "")) for name in (_UPLOADED_BY, _REASON))
    return KeptDocument(content, str(found.etag), found.last_modified, by, reason)


def _put(
    blob: BlobClient,
    content: bytes,
    found: KeptDocument | None,
    metadata: dict[str, str] | None = None,
) -> bool:
    """Write a blob unless it is another one by now than what was found."""
    unchanged: dict[str, Any] = (
        {"match_condition": MatchConditions.IfMissing}
        if found is None
        else {"etag": found.etag, "match_condition": MatchConditions.IfNotModified}
    )
    try:
        blob.upload_blob(content, overwrite=True, metadata=metadata, **unchanged)
    except (ResourceExistsError, ResourceModifiedError):
        return False
    return True
