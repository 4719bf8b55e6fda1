"""The whole pipeline on this machine, started afresh: sends messages through it, closes windows."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local_azure.config import LocalAzureConfig, load_config
from local_azure.environment import LocalAzure
from local_azure.host_client import run_function, wait_until_processed
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.protocol import Sent
from simulator.publishing.publish import publish

ROOT: Final = Path(__file__).parents[1]
_FUNCTION: Final = "ProcessTransaction"
_PATIENCE_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class LocalPipeline:
    """A pipeline that runs: where it runs and where it shows progress."""

    local: LocalAzure
    host_url: str
    console: Console

    def send(self, messages: Iterable[Message], events: int) -> None:
        """Publish messages while the functions process them, and wait until all are done."""
        producer = ProducerSettings.of(self.local.settings, event_hub="payments")
        with self._bar() as bar:
            task = bar.add_task("payments sent", total=events)

            def show(sent: Sent) -> None:
                bar.update(task, completed=sent.events)

            with EventHubsPublisher(producer) as publisher:
                sent = publish(messages, publisher, show)
            bar.update(task, total=sent.events, completed=sent.events)
            rest = bar.add_task("messages processed", total=sent.messages)
            wait_until_processed(
                self.host_url,
                self.local.settings["EventHubConnection"],
                _FUNCTION,
                seconds=_PATIENCE_SECONDS,
                progress=lambda waiting: bar.update(
                    rest, completed=max(sent.messages - waiting, 0)
                ),
            )

    def close_windows(self) -> None:
        """Close the windows that have ended, as the timer does every five minutes."""
        run_function(self.host_url, "AggregateMetrics")

    def _bar(self) -> Progress:
        return Progress(
            TextColumn("{task.description:20}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )


@contextmanager
def fresh_pipeline(console: Console, name: str) -> Iterator[LocalPipeline]:
    """Start all local parts and the functions, and stop them at the end of the block.

    Args:
        console: for people.
        name: of the data folder, which is emptied first.

    Raises:
        LocalAzureError: a part does not start.
    """
    config = load_config(ROOT / "local_azure.yaml")
    folder = config.data_folder / name
    shutil.rmtree(folder, ignore_errors=True)
    with LocalAzure(_on_free_ports(config, folder), say=console.print) as local:
        console.print("starting the functions ...")
        yield LocalPipeline(local, local.start_host(), console)


def _on_free_ports(config: LocalAzureConfig, folder: Path) -> LocalAzureConfig:
    """Return the configuration beside which another one may run."""
    functions = replace(config.functions, port=0)
    return replace(config, data_folder=folder, functions=functions)
