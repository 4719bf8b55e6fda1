"""Blobs in and out of functions in a running host: trigger, input, output."""

import json
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient
from integration.local_azure.functions.sample_app import SampleApp, wait_until

RECORD = """
    import json, pathlib
    import azure.functions as func

    def main(blob: func.InputStream, context: func.Context) -> None:
        content = blob.read().decode()
        line = {"name": blob.name, "uri": blob.uri, "length": blob.length, "content": content}
        with (pathlib.Path(__file__).parent / "lines").open("a") as lines:
            lines.write(json.dumps(line) + "\\n")
        if content == "poison":
            raise ValueError("cannot digest")
"""

COPY = """
    import typing
    import azure.functions as func

    def main(blob: func.InputStream, other: func.InputStream, copy: func.Out[bytes],
             note: func.Out[str], unset: func.Out[str]) -> None:
        copy.set(b"copy of " + blob.read())
        note.set("missing" if other is None else other.read().decode())
"""


def trigger(container: ContainerClient, path: str) -> dict[str, str]:
    return {
        "name": "blob",
        "type": "blobTrigger",
        "direction": "in",
        "path": f"{container.container_name}/{path}",
        "connection": "AzureWebJobsStorage",
    }


def blob(name: str, direction: str, container: ContainerClient, path: str) -> dict[str, str]:
    return {
        "name": name,
        "type": "blob",
        "direction": direction,
        "path": f"{container.container_name}/{path}",
        "connection": "AzureWebJobsStorage",
    }


def records(app: SampleApp, name: str = "Watch") -> list[dict[str, Any]]:
    return [json.loads(line) for line in app.lines(f"{name}/lines")]


def test_a_blob_fires_once_for_each_version_across_restarts(
    app: SampleApp, container: ContainerClient
) -> None:
    app.function("Watch", RECORD, trigger(container, "incoming/{name}.json"))
    container.upload_blob("incoming/a.json", b"one")
    container.upload_blob("elsewhere/a.json", b"not mine")
    container.upload_blob("incoming/a.txt", b"not mine")
    with app.start() as host:
        wait_until(lambda: len(records(app)) == 1)
        container.upload_blob("incoming/a.json", b"two", overwrite=True)
        wait_until(lambda: len(records(app)) == 2)
        container.upload_blob("incoming/sub/b.json", b"")
        wait_until(lambda: len(records(app)) == 3)
        wait_until(lambda: host.trigger("Watch")["processed"] == 3)
        assert host.stop() == 0
    with app.start() as host:
        wait_until(lambda: host.trigger("Watch")["polls"] > 3)
        assert host.trigger("Watch")["processed"] == 0
    found = records(app)
    path = f"{container.container_name}/incoming/a.json"
    assert [record["content"] for record in found] == ["one", "two", ""]
    assert [record["name"] for record in found[:2]] == [path, path]
    assert found[0]["length"] == 3
    assert found[0]["uri"].endswith(path)


def test_a_blob_that_always_fails_is_given_up_after_five_tries_and_noted(
    app: SampleApp, container: ContainerClient, storage: BlobServiceClient
) -> None:
    app.function("Watch", RECORD, trigger(container, "{name}"))
    container.upload_blob("bad", b"poison")
    with app.start() as host:
        wait_until(lambda: "is given up" in host.log())
        container.upload_blob("good", b"fine")
        wait_until(lambda: len(records(app)) == 6)
    assert [record["content"] for record in records(app)] == ["poison"] * 5 + ["fine"]
    hosts = storage.get_container_client("azure-webjobs-hosts")
    notes = [
        name
        for name in hosts.list_blob_names(name_starts_with="poison/")
        if container.container_name in name
    ]
    note = json.loads(hosts.download_blob(notes[0]).readall())
    assert len(notes) == 1
    assert (note["ContainerName"], note["BlobName"]) == (container.container_name, "bad")


def test_inputs_outputs_and_expressions(app: SampleApp, container: ContainerClient) -> None:
    app.settings["Folder"] = "out"
    app.function(
        "Copy",
        COPY,
        trigger(container, "in/{name}.{extension}"),
        blob("other", "in", container, "other/{name}"),
        blob("copy", "out", container, "%Folder%/{extension}/{name}"),
        blob("note", "out", container, "notes/{name}-{DateTime:yyyy}-{rand-guid}"),
        blob("unset", "out", container, "never"),
    )
    container.upload_blob("other/b", b"here")
    with app.start() as host:
        container.upload_blob("in/a.txt", b"A")
        container.upload_blob("in/b.txt", b"B")
        wait_until(lambda: host.trigger("Copy")["processed"] == 2)
        # A run by hand for a blob that is there, and for one that is not.
        container.upload_blob("in/c.txt", b"C")
        path = f"{container.container_name}/in/c.txt"
        assert host.run("Copy", path).json() == {"status": "Succeeded"}
        missing = host.run("Copy", f"{container.container_name}/in/z.txt")
        assert missing.status == 404
        assert "in/z.txt" in missing.json()["error"]
    names = list(container.list_blob_names())
    assert container.download_blob("out/txt/a").readall() == b"copy of A"
    assert container.download_blob("out/txt/c").readall() == b"copy of C"
    notes = {
        name.split("-")[0]: container.download_blob(name).readall()
        for name in names
        if name.startswith("notes/")
    }
    assert (notes["notes/a"], notes["notes/b"]) == (b"missing", b"here")
    assert "never" not in names


def test_an_output_container_is_made_when_missing(
    app: SampleApp, container: ContainerClient, storage: BlobServiceClient
) -> None:
    fresh = f"{container.container_name}-fresh"
    code = """
        import azure.functions as func

        def main(timer: func.TimerRequest, o: func.Out[str]) -> None:
            o.set("made")
    """
    timer = {"name": "timer", "type": "timerTrigger", "direction": "in", "schedule": "0 0 0 1 1 *"}
    output = {"name": "o", "type": "blob", "direction": "out", "path": f"{fresh}/file"}
    app.function("Make", code, timer, output)
    with app.start() as host:
        assert host.run("Make").status == 200
    assert storage.get_blob_client(fresh, "file").download_blob().readall() == b"made"
