"""What people see of the local parts of Azure in their terminal."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from local_azure.config import Part
from local_azure.environment import LocalAzure

_TITLES = {
    Part.EVENT_HUBS: "Event Hubs",
    Part.BLOB_STORAGE: "Blob storage",
    Part.POSTGRESQL: "PostgreSQL",
}


def address(part: Part, connection_string: str) -> str:
    """Shorten a connection string to the address in it, without secrets.

    Args:
        part: What it connects to.
        connection_string: Of Event Hubs or storage (``Name=value;...``), or a PostgreSQL URL.
    """
    if part is Part.POSTGRESQL:
        url = urlsplit(connection_string)
        user = f"{url.username}@" if url.username else ""
        port = f":{url.port}" if url.port else ""
        return f"{url.scheme}://{user}{url.hostname or ''}{port}{url.path}"
    fields: dict[str, str] = dict(re.findall(r"(\w+)=([^;]*)", connection_string))
    if part is Part.EVENT_HUBS:
        return fields.get("Endpoint", "")
    account = fields.get("AccountName", "")
    return fields.get("BlobEndpoint") or f"account {account}"


def show(console: Console, local: LocalAzure, *, host: bool) -> None:
    """Print what runs where, and what to do with it.

    Args:
        console: Where to print.
        local: The parts, running.
        host: Whether the function host runs, too.
    """
    console.print(_table(local.connections, local, host=host))
    console.print(f"Logs: {local.folder}/*/*.log", soft_wrap=True, highlight=False)
    console.print(
        "App settings for tools and for `func start`: "
        "[bold]python -m local_azure settings > local.settings.json[/bold]",
        soft_wrap=True,
    )
    if host:
        console.print(
            f"Run a function now: [bold]curl -X POST '{local.host.url}/admin/functions/NAME"
            "?wait=true' -d '{}'[/bold]",
            soft_wrap=True,
            highlight=False,
        )
    console.print("[bold]Ctrl-C[/bold] stops everything; data stay.")


def _table(connections: Mapping[Part, str], local: LocalAzure, *, host: bool) -> Table:
    table = Table(title="Azure on this machine", title_justify="left")
    table.add_column("Part")
    table.add_column("Address", overflow="fold")
    table.add_column("Runs")
    for part, connection in connections.items():
        where = "here" if part in local.services else "elsewhere"
        table.add_row(_TITLES[part], address(part, connection), where)
    if host:
        table.add_row("Functions host", local.host.url, "here")
    return table
