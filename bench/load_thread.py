"""A thread that works within a ``with`` block; its failure is raised by whoever waits for it."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class LoadThread(ABC):
    """Works from the beginning of a block to its end.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._error: BaseException | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    @abstractmethod
    def work(self, ending: threading.Event) -> None:
        """Work until ``ending`` is set."""

    def check(self) -> None:
        """Raise what ended the work early, if anything did."""
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()
        if error is None:
            self.check()

    def _run(self) -> None:
        try:
            self.work(self._ending)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for this one
            self._error = error
