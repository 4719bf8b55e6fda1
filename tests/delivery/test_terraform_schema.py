"""The extract of the provider's schema comes out of the provider's package."""

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from terraform_trees import findings

from deploy.__main__ import main
from deploy.infrastructure.errors import FileUnreadable
from deploy.infrastructure.schema import Body, Schema, dump, load
from deploy.infrastructure.schema_extract import UnknownType, extract

DOCS = "https://registry.terraform.io/providers/hashicorp/azurerm/4.55.0/docs"
STRING = {"primitive": "string"}
LINK = f"Docs at Terraform Registry: {{@link {DOCS}/resources/thing#%s Thing#%s}}."


def argument(name: str, type_: dict[str, Any], *, optional: bool = False) -> dict[str, Any]:
    docs = {"summary": LINK % (name, name)}
    return {"name": "camelCase", "docs": docs, "type": type_, "optional": optional}


def block(name: str, type_: dict[str, Any], *, optional: bool = False) -> dict[str, Any]:
    docs = {"summary": f"{name} block.", "remarks": LINK % (name, name)}
    return {"name": "camelCase", "docs": docs, "type": type_, "optional": optional}


def several(structure: str) -> dict[str, Any]:
    listed = {"collection": {"kind": "array", "elementtype": {"fqn": structure}}}
    return {"union": {"types": [{"fqn": "cdktf.IResolvable"}, listed]}}


def represents(path: str, type_: str) -> dict[str, str]:
    return {"summary": f"Represents a {{@link {DOCS}{path} {type_}}}."}


def wheel_of(folder: Path) -> Path:
    types = {
        "thing.Thing": {
            "docs": represents("/resources/thing", "azurerm_thing"),
            "properties": [
                {"name": each, "type": STRING}
                for each in ("tfResourceType", "name", "nameInput", "primaryKey", "tags", "rule")
            ],
        },
        "thing.ThingConfig": {
            "properties": [
                argument("name", STRING),
                argument(
                    "tags",
                    {"collection": {"kind": "map", "elementtype": STRING}},
                    optional=True,
                ),
                block("rule", several("thing.Rule")),
                block("network", {"fqn": "thing.Rule"}, optional=True),
                argument("entries", several("thing.Rule"), optional=True),
            ]
        },
        "thing.Rule": {"properties": [argument("enabled", {"primitive": "boolean"})]},
        "provider.Provider": {"docs": represents("", "azurerm")},
        "provider.ProviderConfig": {"properties": [argument("alias", STRING, optional=True)]},
    }
    text = json.dumps({"types": types}).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as package:
        entry = tarfile.TarInfo("package/.jsii")
        entry.size = len(text)
        package.addfile(entry, io.BytesIO(text))
    wheel = folder / "cdktf_cdktf_provider_azurerm-14.23.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("cdktf/_jsii/provider-azurerm@14.23.1.jsii.tgz", packed.getvalue())
    return wheel


@pytest.fixture(name="extracted")
def _extracted(tmp_path: Path) -> Schema:
    return extract(wheel_of(tmp_path), {"azurerm_thing", "random_id"}, set())


def test_arguments_are_required_unless_they_are_optional(extracted: Schema) -> None:
    assert extracted.resources["azurerm_thing"].arguments == {"name": "string!", "tags": "map"}


def test_blocks_stand_once_or_often_as_the_provider_says(extracted: Schema) -> None:
    rule = {"enabled": "bool!"}
    assert extracted.resources["azurerm_thing"].blocks == {
        "rule": Body(arguments=rule, count="+"),
        "network": Body(arguments=rule, count="?"),
        "entries": Body(arguments=rule, count="*", attribute=True),
    }


def test_what_is_no_argument_is_read_only(extracted: Schema) -> None:
    assert extracted.resources["azurerm_thing"].read_only == ("primary_key",)


def test_version_is_that_of_the_provider(extracted: Schema) -> None:
    assert (extracted.version, extracted.package) == (
        "4.55.0",
        "cdktf_cdktf_provider_azurerm-14.23.1",
    )


def test_text_of_an_extract_reads_back(extracted: Schema) -> None:
    assert msgspec.json.decode(dump(extracted), type=Schema) == extracted


def test_type_that_the_provider_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownType, match="no resource azurerm_thin, azurerm_thong"):
        extract(wheel_of(tmp_path), {"azurerm_thong", "azurerm_thin"}, set())


def test_other_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.whl"
    other.write_bytes(b"no zip")
    with pytest.raises(FileUnreadable, match="is no package of a provider"):
        extract(other, set(), set())


def test_extract_in_the_repository_is_as_it_is_written() -> None:
    schema = load()
    file = Path(__file__).parents[2] / "deploy/infrastructure/azurerm_schema.json"
    assert file.read_text("utf-8") == dump(schema)


def test_missing_wheel_is_told_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings(tmp_path, module="locals {}\n")
    assert main(["extract-terraform-schema", "--wheel", "no.whl", "--root", str(tmp_path)]) == 1
    assert "error: no.whl" in capsys.readouterr().err
