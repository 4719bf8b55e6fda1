"""Builds the zip of a release: the same input gives the same bytes."""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from alembic.config import Config
from alembic.script import ScriptDirectory

from deploy.errors import DeployError
from deploy.packaging.dependencies import dependency_files, installed, versions
from deploy.packaging.sources import commit_of, release_files, with_blob_source

_RULES: Final = "rules/metric_derivation_rules.json"
_HEAD_OF_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100644 << 16
_UNIX: Final = 3


class PackageNote(msgspec.Struct, frozen=True):
    """What is in a package, kept beside it as ``FILE.zip.json``.

    Attributes:
        sha256: of the zip, hexadecimal.
        commit: that it was made from.
        revision: the head of the schema's revisions.
        rules_version: of the rule set that it brings.
        dependencies: name to version.
    """

    sha256: str
    commit: str
    revision: str
    rules_version: str
    dependencies: dict[str, str]


class Package(NamedTuple):
    """A zip and the note that describes it."""

    file: Path
    note: PackageNote


class _Rules(msgspec.Struct):
    version: str


def build(root: Path, output: Path, *, blob_source: str, cache: Path) -> Package:
    """Write the zip and the note beside it.

    Args:
        root: a git checkout of the project.
        output: the zip.
        blob_source: how blob triggers learn of blobs, ``EventGrid`` or ``LogsAndContainerScan``.
        cache: where installed dependencies are kept.

    Raises:
        ToolFailed: git or pip failed.
        DeployError: the checkout lacks something.
    """
    files = with_blob_source(release_files(root), blob_source)
    libraries = installed(root, cache)
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in _contents(files, libraries):
                archive.writestr(_entry(name), content)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
    note = PackageNote(
        sha256=sha256_of(output),
        commit=commit_of(root),
        revision=head_revision(root),
        rules_version=msgspec.json.decode(files[_RULES], type=_Rules).version,
        dependencies=dict(versions(libraries)),
    )
    note_file(output).write_bytes(msgspec.json.format(msgspec.json.encode(note)) + b"\n")
    return Package(output, note)


def read_package(file: Path) -> Package:
    """Return a package whose zip is the one that its note describes.

    Raises:
        DeployError: zip or note is missing, or they do not belong together.
    """
    try:
        note = msgspec.json.decode(note_file(file).read_bytes(), type=PackageNote)
        found = sha256_of(file)
    except FileNotFoundError as error:
        message = f"{error.filename} is missing; make both with 'python -m deploy package'"
        raise DeployError(message) from None
    except msgspec.DecodeError as error:
        message = f"{note_file(file)} is no note of a package: {error}"
        raise DeployError(message) from None
    if found != note.sha256:
        message = (
            f"{file} has sha256 {found}, but its note says {note.sha256}: it was changed or cut"
            " short on its way; fetch it again"
        )
        raise DeployError(message)
    return Package(file, note)


def note_file(file: Path) -> Path:
    """Return where the note of a zip lies."""
    return file.with_name(f"{file.name}.json")


def sha256_of(file: Path) -> str:
    """Return the hash of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def head_revision(root: Path) -> str:
    """Return the one head of the schema's revisions.

    Raises:
        DeployError: there is none, or there are several.
    """
    heads = ScriptDirectory.from_config(Config(str(root / "alembic.ini"))).get_heads()
    if len(heads) != 1:
        message = f"expected one head of the revisions, found {', '.join(heads) or 'none'}"
        raise DeployError(message)
    return heads[0]


def _contents(files: Mapping[str, bytes], libraries: Path) -> Iterator[tuple[str, bytes]]:
    yield from sorted(files.items())
    for name, file in dependency_files(libraries):
        yield name, file.read_bytes()


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry that tells neither when nor by whom it was made."""
    entry = zipfile.ZipInfo(name, _HEAD_OF_ZIP_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = _MODE
    entry.create_system = _UNIX
    return entry
