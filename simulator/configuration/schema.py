"""The JSON Schema of configurations, made from the structures, for editors and for reading.

``python -m simulator.configuration.schema`` writes the file anew after a structure has changed.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from simulator.configuration.structure import Configuration

SCHEMA_FILE: Final = Path(__file__).parent / "simulation.schema.json"
_KEYS_OF_FILES: Final = {
    "$schema": {"description": "Lets editors complete and check this file.", "type": "string"},
    "extends": {
        "description": "A shipped profile, or a file relative to this one, which gives whatever"
        " this file does not. Maps are merged deeply, lists are replaced.",
        "type": "string",
        "minLength": 1,
    },
}


@cache
def configuration_schema() -> dict[str, Any]:
    """Return the schema of configuration files; not to be changed by the caller."""
    made = msgspec.json.schema(Configuration)
    definitions: dict[str, Any] = made["$defs"]
    for definition in definitions.values():
        # Docstrings are broken into lines and mark code as this project's Python does.
        paragraphs = definition["description"].split("\n\n")
        definition["description"] = "\n\n".join(
            " ".join(paragraph.split()).replace("``", "`") for paragraph in paragraphs
        )
    whole = definitions["Configuration"]
    whole["properties"] = {**_KEYS_OF_FILES, **whole["properties"]}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:payment-metrics:simulation:1",
        "title": "Simulation",
        "description": whole["description"],
        **made,
    }
    as_in_file: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return as_in_file


def schema_text() -> str:
    """Return the schema as the file holds it."""
    return (
        msgspec.json.format(msgspec.json.encode(configuration_schema()), indent=2).decode() + "\n"
    )


def write_schema(path: Path = SCHEMA_FILE) -> None:
    """Write the schema to its file."""
    path.write_text(schema_text(), "utf-8")


if __name__ == "__main__":
    write_schema()
