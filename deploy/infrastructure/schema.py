"""What the provider's resources take: an extract of its schema, kept beside this module.

The provider itself needs a registry. Its schema also lies in the package
``cdktf-cdktf-provider-azurerm``, from which ``extract-terraform-schema`` makes the extract.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from deploy.infrastructure.errors import FileUnreadable

EXTRACT: Final = Path(__file__).with_name("azurerm_schema.json")
PACKAGE: Final = "cdktf-cdktf-provider-azurerm==14.23.1"
HOW_TO_EXTRACT: Final = (
    f"pip download --no-deps -d .local {PACKAGE} && python -m deploy extract-terraform-schema"
    " --wheel .local/cdktf_cdktf_provider_azurerm-*.whl"
)


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may stand in a block.

    Attributes:
        arguments: by name the kind of value: string, number, bool, list, map or object; with an
            exclamation mark if the argument is required.
        blocks: by name the nested blocks.
        count: how often the block itself stands: ``1`` once, ``?`` at most once, ``+`` at least
            once, ``*`` any number of times. What the provider says of two or more is not known.
        attribute: whether it may be written as an attribute, a list of objects, too.
        read_only: attributes that only the provider sets, by which others refer to a resource.
    """

    arguments: dict[str, str] = {}
    blocks: "dict[str, Body]" = {}
    count: str = "*"
    attribute: bool = False
    read_only: tuple[str, ...] = ()


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """The extract: the provider's own block, and its resources and data sources by type."""

    provider: str
    version: str
    package: str
    configuration: Body
    resources: Mapping[str, Body]
    data_sources: Mapping[str, Body]


def load(file: Path = EXTRACT) -> Schema:
    """Return the extract.

    Raises:
        FileUnreadable: the file is missing or is no extract.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Schema)
    except (OSError, msgspec.DecodeError) as error:
        raise FileUnreadable(file, f"{error}; make it: {HOW_TO_EXTRACT}") from error


def dump(schema: Schema) -> str:
    """Return the extract as text: sorted, one resource a line, so that differences read well."""
    encoder = msgspec.json.Encoder(order="deterministic")

    def table(bodies: Mapping[str, Body]) -> str:
        lines = (f'"{kind}":{encoder.encode(bodies[kind]).decode()}' for kind in sorted(bodies))
        return "{\n" + ",\n".join(lines) + "\n}"

    parts = {
        "provider": encoder.encode(schema.provider).decode(),
        "version": encoder.encode(schema.version).decode(),
        "package": encoder.encode(schema.package).decode(),
        "configuration": encoder.encode(schema.configuration).decode(),
        "resources": table(schema.resources),
        "data_sources": table(schema.data_sources),
    }
    return "{\n" + ",\n".join(f'"{name}":{text}' for name, text in parts.items()) + "\n}\n"
