"""The timer trigger: schedules, and what was missed while the host was down.

The status (last, next, lastUpdated) of a monitored timer is a blob under
``azure-webjobs-hosts/timers/``, as in Azure. Within a host a timer never runs twice at a time. Two
hosts of one project would both fire: the lock that Azure takes across instances is not imitated.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from local_azure.functions.binding_checks import HOST_STORAGE
from local_azure.functions.bindings import FunctionSpec, TimerTrigger
from local_azure.functions.invoker import HostStopping
from local_azure.functions.triggers.services import HostServices
from local_azure.functions.wire import ScheduleStatus, schedule_status_json, timer_firing
from local_azure.functions.worker import Outcome

CONTAINER = "azure-webjobs-hosts"
"""Where the Azure host keeps its state as well."""

# A machine that slept wakes with another clock: look at it at least this often.
_LONGEST_SLEEP = timedelta(seconds=30)

_log = logging.getLogger("Host.Triggers.Timer")


class TimerListener:
    """Fires one function by its schedule."""

    def __init__(
        self,
        spec: FunctionSpec,
        trigger: TimerTrigger,
        services: HostServices,
    ) -> None:
        self._spec = spec
        self._trigger = trigger
        self._stores = services.stores
        self._invoker = services.invoker
        self._blob = f"timers/{services.host_id}/Host.Functions.{spec.name}/status"
        self._one_at_a_time = asyncio.Lock()
        self._status: ScheduleStatus | None = None
        self._next: datetime | None = None

    def status(self) -> Mapping[str, object]:
        """Show the schedule, for the admin endpoint."""
        last = self._status.last if self._status else None
        return {
            "schedule": self._trigger.schedule.text,
            "next": self._next.isoformat() if self._next else None,
            "last": last.isoformat() if last else None,
            "running": self._one_at_a_time.locked(),
        }

    async def run(self) -> None:
        """Fire until cancelled: first what is past due or wanted at start, then by schedule."""
        now = datetime.now(UTC)
        past_due = await self._is_past_due(now) if self._trigger.use_monitor else False
        if past_due or self._trigger.run_on_startup:
            await self._scheduled(now, past_due=past_due)
        self._next = self._trigger.schedule.next_after(datetime.now(UTC))
        while True:
            remaining = self._next - datetime.now(UTC)
            if remaining > timedelta(0):
                await asyncio.sleep(min(remaining, _LONGEST_SLEEP).total_seconds())
                continue
            due = self._next
            await self._scheduled(due, past_due=False)
            # Firings that passed while the function ran are skipped, as in Azure.
            self._next = self._trigger.schedule.next_after(max(due, datetime.now(UTC)))

    async def fire(self) -> Outcome:
        """Run the function now, once and without retries, for the admin endpoint."""
        async with self._one_at_a_time:
            reason = "This function was programmatically called via the host APIs."
            data = timer_firing(self._spec.name, self._status, past_due=False, reason=reason)
            return await self._invoker.run(self._spec, data)

    async def _scheduled(self, due: datetime, *, past_due: bool) -> None:
        moment = datetime.now(UTC)
        reason = f"Timer fired at {moment.isoformat()}"
        try:
            async with self._one_at_a_time, self._invoker.unit():
                status = self._status
                await self._invoker.run_with_retries(
                    self._spec,
                    lambda: timer_firing(self._spec.name, status, past_due=past_due, reason=reason),
                )
                await self._remember(last=moment, after=max(due, datetime.now(UTC)))
        except HostStopping:
            _log.info("%s is due, but the host is stopping", self._spec.name)

    async def _is_past_due(self, now: datetime) -> bool:
        stored = read_status(await self._stores.read(HOST_STORAGE, CONTAINER, self._blob))
        if stored is None:
            await self._remember(last=None, after=now)
            return False
        self._status = stored
        # Judged by the schedule of today: it may have changed since the status was written.
        expected = self._trigger.schedule.next_after(stored.last or stored.last_updated)
        if expected > now:
            await self._remember(last=stored.last, after=now)
            return False
        _log.info(
            "Function '%s' is past due on startup. Last run %s, was due at %s.",
            self._spec.name,
            stored.last.isoformat() if stored.last else "never",
            expected.isoformat(),
        )
        return True

    async def _remember(self, last: datetime | None, after: datetime) -> None:
        following = self._trigger.schedule.next_after(after)
        self._status = ScheduleStatus(last, following, datetime.now(UTC))
        if self._trigger.use_monitor:
            document = json.dumps(schedule_status_json(self._status)).encode()
            await self._stores.write(HOST_STORAGE, CONTAINER, self._blob, document)


def read_status(document: bytes | None) -> ScheduleStatus | None:
    """Read a stored status; None when there is none or it cannot be read, which is logged."""
    if document is None:
        return None
    try:
        raw = json.loads(document)
        last, following, updated = (
            datetime.fromisoformat(raw[name]) for name in ("Last", "Next", "LastUpdated")
        )
    except (ValueError, KeyError, TypeError) as error:
        _log.warning("A stored timer status cannot be read (%s); it starts afresh", error)
        return None
    return ScheduleStatus(
        None if last.year == 1 else _in_utc(last), _in_utc(following), _in_utc(updated)
    )


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
