import io
from pathlib import Path

import pytest
from rich.console import Console

from local_azure.config import Part, parse_config
from local_azure.console import address, show
from local_azure.environment import LocalAzure

EVENT_HUBS = "Endpoint=sb://there.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=s3c"
AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=s3c==;"
    "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:2/a;"
)


@pytest.mark.parametrize(
    ("part", "connection_string", "shown"),
    [
        (Part.EVENT_HUBS, EVENT_HUBS, "sb://there.servicebus.windows.net/"),
        (Part.BLOB_STORAGE, AZURITE, "http://127.0.0.1:1/a"),
        (Part.BLOB_STORAGE, "AccountName=a;AccountKey=s3c==", "account a"),
        (
            Part.POSTGRESQL,
            "postgresql://me:s3c@h:5432/d?sslmode=require",
            "postgresql://me@h:5432/d",
        ),
        (Part.POSTGRESQL, "postgresql:///d?host=/socket&password=s3c", "postgresql:///d"),
    ],
)
def test_an_address_is_shown_without_its_secrets(
    part: Part, connection_string: str, shown: str
) -> None:
    assert address(part, connection_string) == shown


def test_parts_that_run_elsewhere_are_shown_as_such(tmp_path: Path) -> None:
    config = parse_config({"event_hubs": {"connection_string": EVENT_HUBS}}, tmp_path)
    said = io.StringIO()
    with LocalAzure(config) as local:
        show(Console(file=said, width=100), local, host=False)
    (row,) = [line for line in said.getvalue().splitlines() if "Event Hubs" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "Event Hubs",
        "sb://there.servicebus.windows.net/",
        "elsewhere",
    ]
    assert "curl" not in said.getvalue()
    assert "s3c" not in said.getvalue()
