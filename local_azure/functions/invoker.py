"""Runs one function: reads its inputs, calls the worker, writes its outputs, retries, drains."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

from azure.core.exceptions import AzureError

from local_azure.functions.bindings import BlobOutput, FunctionSpec
from local_azure.functions.blob_stores import BlobStores
from local_azure.functions.errors import FunctionsError
from local_azure.functions.retry import may_retry
from local_azure.functions.wire import (
    Datum,
    Json,
    OutDatum,
    Raw,
    Text,
    TriggerData,
    blob_data,
)
from local_azure.functions.worker import Failure, Invocation, Outcome, RetryState, Worker


class HostStopping(FunctionsError):
    """The host is being stopped, so that nothing new starts."""


class Invoker:
    """Runs functions and knows what is under way.

    Attributes:
        overdue: ends with the name of a function that outlived ``functionTimeout``. Its thread
            cannot be stopped, so that the host must be, as Azure restarts its worker then.
    """

    def __init__(self, worker: Worker, stores: BlobStores, timeout: timedelta | None) -> None:
        self._worker = worker
        self._stores = stores
        self._timeout = timeout
        self._units = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[Outcome]] = set()
        self._random = Random()  # noqa: S311 -- spreads retries, guards nothing
        self.overdue: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def stopping(self) -> bool:
        """Whether nothing new may start."""
        return self._stopping.is_set()

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[None]:
        """Mark a piece of work that a clean stop waits for, its checkpoint included.

        Raises:
            HostStopping: the host is being stopped.
        """
        if self.stopping:
            raise HostStopping("The host is stopping")
        self._units += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._units -= 1
            if not self._units:
                self._idle.set()

    async def drain(self, grace: timedelta) -> bool:
        """Let nothing new start and wait for what runs.

        Returns:
            whether everything ended within the grace period.
        """
        self._stopping.set()
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def run_with_retries(
        self,
        spec: FunctionSpec,
        build: Callable[[], TriggerData],
        on_retry: Callable[[int], None] = lambda _: None,
    ) -> Outcome:
        """Run a function until it succeeds or its retry policy is exhausted.

        Args:
            spec: the function.
            build: makes the trigger's data afresh for each attempt.
            on_retry: told the number of failures so far, before each pause.

        Raises:
            HostStopping: the host stops while a retry is pending.
        """
        policy = spec.retry
        failures = 0
        error: str | None = None
        while True:
            state = RetryState(failures, policy.max_retry_count, error) if policy else None
            outcome = await self.run(spec, build(), state)
            if outcome.failure is None:
                return outcome
            failures += 1
            if policy is None or not may_retry(policy, failures):
                return outcome
            error = outcome.failure.message
            on_retry(failures)
            pause = policy.pause(failures, self._random)
            _log(spec).warning(
                "Function '%s' failed, waiting %.1f s before retry %d%s",
                spec.name,
                pause.total_seconds(),
                failures,
                "" if policy.max_retry_count < 0 else f" of {policy.max_retry_count}",
            )
            await self._pause(pause)

    async def _pause(self, length: timedelta) -> None:
        try:
            async with asyncio.timeout(length.total_seconds()):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise HostStopping("The host is stopping; the retry is left to its next start")

    async def run(
        self, spec: FunctionSpec, trigger: TriggerData, retry: RetryState | None = None
    ) -> Outcome:
        """Run a function once.

        A caller that is cancelled does not stop it: a Python thread cannot be interrupted.
        """
        async with self.unit():
            task = asyncio.ensure_future(self._attempt(spec, trigger, retry))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            return await asyncio.shield(task)

    async def _attempt(
        self, spec: FunctionSpec, trigger: TriggerData, retry: RetryState | None
    ) -> Outcome:
        invocation_id = str(uuid.uuid4())
        log = _log(spec)
        log.info(
            "Executing 'Functions.%s' (Reason='%s', Id=%s)",
            spec.name,
            trigger.reason,
            invocation_id,
        )
        started = time.perf_counter()
        outcome = await self._bound(spec, trigger, retry, invocation_id)
        milliseconds = round((time.perf_counter() - started) * 1000)
        if outcome.failure is None:
            log.info(
                "Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%dms)",
                spec.name,
                invocation_id,
                milliseconds,
            )
        else:
            log.error(
                "Executed 'Functions.%s' (Failed, Id=%s, Duration=%dms)\n%s\n%s",
                spec.name,
                invocation_id,
                milliseconds,
                outcome.failure.message,
                outcome.failure.stack_trace,
            )
        return outcome

    async def _bound(
        self,
        spec: FunctionSpec,
        trigger: TriggerData,
        retry: RetryState | None,
        invocation_id: str,
    ) -> Outcome:
        try:
            inputs = await self._inputs(spec, trigger)
            invocation = Invocation(invocation_id, spec.name, inputs, trigger.metadata, retry)
            outcome = await self._within_time(spec, invocation)
            if outcome.failure is None:
                await self._write_outputs(spec, trigger, outcome)
        except (FunctionsError, AzureError) as error:
            return Outcome(failure=Failure(f"{type(error).__name__}: {error}", ""))
        return outcome

    async def _within_time(self, spec: FunctionSpec, invocation: Invocation) -> Outcome:
        limit = None if self._timeout is None else self._timeout.total_seconds()
        work = asyncio.ensure_future(self._worker.invoke(invocation))
        done, _ = await asyncio.wait({work}, timeout=limit)
        if done:
            return work.result()
        if not self.overdue.done():
            self.overdue.set_result(spec.name)
        return Outcome(
            failure=Failure(
                f"Timeout value of {self._timeout} exceeded by function: {spec.name} "
                f"(Id: '{invocation.invocation_id}')",
                "",
            )
        )

    async def _inputs(self, spec: FunctionSpec, trigger: TriggerData) -> Mapping[str, Datum | None]:
        inputs: dict[str, Datum | None] = {spec.trigger.name: trigger.data}
        now = datetime.now(UTC)
        for blob in spec.inputs:
            container, name = blob.path.render(trigger.values, now)
            content = await self._stores.read(blob.connection, container, name)
            inputs[blob.name] = None if content is None else blob_data(content, blob.data_type)
        return inputs

    async def _write_outputs(
        self, spec: FunctionSpec, trigger: TriggerData, outcome: Outcome
    ) -> None:
        now = datetime.now(UTC)
        for output in spec.outputs:
            if not isinstance(output, BlobOutput):
                continue
            value = outcome.returned if output.name == "$return" else None
            content = _bytes(outcome.outputs.get(output.name, value))
            if content is not None:
                container, name = output.path.render(trigger.values, now)
                await self._stores.write(output.connection, container, name, content)


def _bytes(value: OutDatum | None) -> bytes | None:
    match value:
        case Text(text) | Json(text):
            return text.encode()
        case Raw(content):
            return content
        case _:
            return None


def _log(spec: FunctionSpec) -> logging.Logger:
    return logging.getLogger(f"Function.{spec.name}")
