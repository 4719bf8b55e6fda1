"""Commands about rules, as an operator types them, and what stands behind them."""

import threading
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from store_fixtures import Store

from shared_code.__main__ import main
from shared_code.store.rule_archive import BlobRuleArchive

HIGH = {"field": "amount", "operator": "gte", "value": 1000}
LOWER = {"field": "amount", "operator": "gte", "value": 500}
FAILED = {"field": "payment_status", "operator": "eq", "value": "failed"}
ABROAD = {"field": "merchant.country", "operator": "ne", "value": "DE"}


class Shell:
    """Runs commands and keeps what they say."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys = capsys
        self._folder = folder

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit code of a command, what it says, and what it complains of."""
        self._capsys.readouterr()
        exit_code = main(["rules", *arguments])
        said = self._capsys.readouterr()
        return exit_code, said.out.strip(), said.err.strip()

    def file(self, content: bytes, name: str = "rules.json") -> str:
        """Write a file and return its path."""
        path = self._folder / name
        path.write_bytes(content)
        return str(path)


class Reloading:
    """Does what ReloadRules does, whenever a document waits."""

    def __init__(self, store: Store, container: ContainerClient) -> None:
        self._metrics = store.engine()
        self._container = container
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        seen: set[str] = set()
        archive = BlobRuleArchive(service_of(self._container), self._container.container_name)
        while not self._ended.wait(0.05):
            for blob in self._container.list_blobs("incoming/"):
                if blob.etag not in seen:
                    seen.add(blob.etag)
                    content = self._container.download_blob(blob.name).readall()
                    outcome = self._metrics.reload_rules(content, blob.name, archive)
                    if outcome.report:
                        rejected = blob.name.replace("incoming/", "rejected/")
                        self._container.upload_blob(rejected, outcome.report, overwrite=True)


def service_of(container: ContainerClient) -> BlobServiceClient:
    return BlobServiceClient(container.url.rsplit("/", 1)[0], credential=container.credential)


def waiting(container: ContainerClient) -> dict[str, bytes]:
    return {
        blob.name: container.download_blob(blob.name).readall()
        for blob in container.list_blobs("incoming/")
    }


def active_version(store: Store) -> str:
    return str(
        store.value("""
            SELECT version FROM rule_set_activations JOIN rule_sets USING (rule_set)
            WHERE role = 'active' ORDER BY activation_id DESC LIMIT 1
        """)
    )
