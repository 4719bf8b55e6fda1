"""The smoke test: a payment goes the whole way through what was published, beside production."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, text

from deploy.errors import DeployError
from deploy.release.hub import send
from deploy.settings import database, required
from deploy.targets.target import Place, Target
from shared_code.store.database import Database
from shared_code.store.rule_store import rule_sets_in_force

_POLL_SECONDS: Final = 1.0
_AMOUNT: Final = Decimal("12.34")
_STORED: Final = text("""
    SELECT count(*), min(amount), min(rule_set)
    FROM normalized_transactions
    WHERE event_time = :event_time AND transaction_id = :transaction_id
""")
# Of the payment's window and group: what was counted must be what is stored.
_COUNTED: Final = text("""
    WITH payment AS (
        SELECT payment_method, currency, payment_status,
               date_bin('5 minutes', event_time, TIMESTAMPTZ 'epoch') AS window_start
        FROM normalized_transactions
        WHERE event_time = :event_time AND transaction_id = :transaction_id
    ), counted AS (
        SELECT window_start, payment_method, currency, payment_status, payment_count
        FROM payment_metrics_5m
        UNION ALL
        SELECT window_start, payment_method, currency, payment_status, payment_count
        FROM window_deltas
    )
    SELECT coalesce((SELECT sum(payment_count) FROM counted JOIN payment
                     USING (window_start, payment_method, currency, payment_status)), 0)::bigint,
           (SELECT count(*) FROM normalized_transactions AS stored JOIN payment
              ON stored.event_time >= payment.window_start
             AND stored.event_time < payment.window_start + interval '5 minutes'
             AND stored.payment_method = payment.payment_method
             AND stored.currency = payment.currency
             AND stored.payment_status = payment.payment_status)
""")

type Say = Callable[[str], None]


class SmokeFailed(DeployError):
    """What was published does not do what it has to."""


class Patience(NamedTuple):
    """Until when to wait, by the monotonic clock."""

    deadline: float

    def wait[Answer](self, ask: Callable[[], Answer | None], problem: Callable[[], str]) -> Answer:
        """Ask until there is an answer.

        Raises:
            SmokeFailed: there is none in time; with what ``problem`` says.
        """
        while (answer := ask()) is None:
            if time.monotonic() > self.deadline:
                raise SmokeFailed(problem())
            time.sleep(_POLL_SECONDS)
        return answer


def smoke_test(
    target: Target, root: Path, values: Mapping[str, str], seconds: float, say: Say
) -> None:
    """Prove that what was published runs.

    All functions must be loaded. Where there is a staging slot, a payment is then sent twice to the
    slot's own hub and must be stored once in the smoke database, counted in its window, and judged
    by a rule set. Without a slot no payment is sent: it would count in production.

    Args:
        target: where it was published.
        root: the checkout, which knows what functions there are.
        values: the environment.
        seconds: how long all of it may take.
        say: told what was seen.

    Raises:
        SmokeFailed: something is not as it has to be.
        SettingsError: the smoke hub or database is not named.
    """
    patience = Patience(time.monotonic() + seconds)
    place = Place.STAGING if target.has_slot else Place.PRODUCTION
    _wait_for_functions(target, place, _functions_of(root), patience, say)
    if not target.has_slot:
        say("there is no slot apart from production, so no payment is sent; watch it now")
        return
    hub = required(values, "SMOKE_EVENT_HUB_NAME", "payments-smoke")
    of = database(values, smoke=True)
    payment = _payment()
    body = msgspec.json.encode(payment)
    send(hub, [body, body], values)
    _prove(of, payment, hub, patience, say)


def _functions_of(root: Path) -> Sequence[str]:
    return sorted(file.parent.name for file in root.glob("*/function.json"))


def _wait_for_functions(
    target: Target, place: Place, wanted: Sequence[str], patience: Patience, say: Say
) -> None:
    why: list[str] = []

    def loaded() -> Sequence[str] | None:
        why.clear()
        try:
            found = target.functions(place)
        except DeployError as error:
            why.append(str(error))
            return None
        if missing := sorted(set(wanted) - set(found)):
            why.append(f"not loaded: {', '.join(missing)}")
            return None
        return found

    found = patience.wait(loaded, lambda: f"functions are missing in {place}: {'; '.join(why)}")
    say(f"loaded in {place}: {', '.join(found)}")


def _payment() -> Mapping[str, str]:
    return {
        "transaction_id": f"smoke-{uuid.uuid4().hex}",
        "event_time": datetime.now(UTC).isoformat(),
        "amount": str(_AMOUNT),
        "currency": "EUR",
        "payment_method": "bank_transfer",
        "payment_status": "completed",
    }


def _prove(
    of: Database, payment: Mapping[str, str], hub: str, patience: Patience, say: Say
) -> None:
    known = {name: payment[name] for name in ("event_time", "transaction_id")}
    sent = time.monotonic()

    def stored() -> tuple[int, Decimal, int] | None:
        with of.transaction() as connection:
            count, amount, rule_set = connection.execute(_STORED, known).one()
        return (count, amount, rule_set) if count else None

    where = f"hub {hub}, smoke database {of.engine.url.database}"
    count, amount, rule_set = patience.wait(
        stored, lambda: f"payment {known['transaction_id']} was sent and never stored ({where})"
    )
    say(f"payment stored after {time.monotonic() - sent:.1f} s, sent twice")
    if count != 1 or amount != _AMOUNT:
        message = f"expected one payment of {_AMOUNT}, found {count} of {amount} ({where})"
        raise SmokeFailed(message)
    with of.transaction("REPEATABLE READ") as connection:
        counted, in_window = connection.execute(_COUNTED, known).one()
        version = _active_rules(connection)
    if counted != in_window:
        message = f"the window holds {in_window} payments and counts {counted} ({where})"
        raise SmokeFailed(message)
    say(f"window counted: {counted} payments")
    say(f"rules loaded: version {version} is active, the payment was judged by set {rule_set}")


def _active_rules(connection: Connection) -> str:
    active = rule_sets_in_force(connection).active
    if active is None:
        raise SmokeFailed("no rule set is active: the payment was judged by none")
    return active.version
