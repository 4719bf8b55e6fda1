"""Hypothesis strategies of payment events: those that keep the contract, and any at all."""

import json
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from unit.domain.payment_samples import HORIZON, NOW

from shared_code.domain.countries import COUNTRIES
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import Channel, DeviceType, PaymentMethod, PaymentStatus

CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


def texts(longest: int, shortest: int = 0) -> st.SearchStrategy[str]:
    """Return text that a field of that length takes."""
    return st.text(CHARACTERS, min_size=shortest, max_size=longest)


def names(vocabulary: Any) -> st.SearchStrategy[str]:
    """Return the names of a vocabulary's members."""
    return st.sampled_from([member.name for member in vocabulary])


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**60), 2**60),
        st.floats(allow_nan=False, allow_infinity=False),
        texts(30),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(10), inner, max_size=3),
    max_leaves=8,
)
ANY_TEXT_VALUES = JSON_VALUES | st.text(max_size=300)
EVENT_TIMES = st.builds(
    lambda ahead, offset: (NOW + ahead).astimezone(timezone(timedelta(minutes=offset))).isoformat(),
    st.timedeltas(HORIZON.earliest - NOW, HORIZON.latest - NOW),
    st.integers(-14 * 60, 14 * 60),
)


@st.composite
def _money(draw: st.DrawFn) -> dict[str, Any]:
    currency = CURRENCIES[draw(st.sampled_from(sorted(CURRENCIES)))]
    amount = Decimal(draw(st.integers(0, 10**15 - 1))).scaleb(-currency.minor_unit)
    as_number = currency.minor_unit == 0 and draw(st.booleans())
    return {"currency": currency.code, "amount": int(amount) if as_number else format(amount, "f")}


def _party(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    optional = {name: st.none() | values for name, values in fields.items()}
    return st.none() | st.fixed_dictionaries({}, optional=optional)


COUNTRY = st.sampled_from(sorted(COUNTRIES)) | texts(32)
VALID_EVENTS = st.builds(
    lambda event, money: event | money,
    st.fixed_dictionaries(
        {
            "transaction_id": texts(64, 1),
            "event_time": EVENT_TIMES,
            "payment_method": names(PaymentMethod),
            "payment_status": names(PaymentStatus),
        },
        optional={
            "channel": names(Channel) | texts(256),
            "device_type": st.none() | names(DeviceType) | texts(256),
            "customer": _party(id=texts(64), email=st.emails() | texts(320), country=COUNTRY),
            "merchant": _party(
                id=texts(64), name=texts(256), category=texts(64), mcc=texts(32), country=COUNTRY
            ),
            "card": _party(brand=texts(32), bin=texts(32), last4=texts(32), fingerprint=texts(128)),
            "counterparty": _party(id=texts(64), country=COUNTRY),
            "original_transaction_id": st.none() | texts(64),
            "metadata": st.none() | st.dictionaries(texts(10), JSON_VALUES, max_size=3),
            "simulation": JSON_VALUES,
            "a_field_of_tomorrow": JSON_VALUES,
        },
    ),
    _money(),
)


@st.composite
def mutated_events(draw: st.DrawFn) -> dict[str, Any]:
    """Return a valid event of which one field is gone, another kind of thing, or a bit off."""
    event = json.loads(json.dumps(draw(VALID_EVENTS)))
    place = draw(st.sampled_from(_objects(event)))
    name = draw(st.sampled_from(sorted(place)))
    value = place[name]
    change = draw(st.sampled_from(["drop", "replace", "extend", "cut", "negate", "nul"]))
    if change == "drop":
        del place[name]
    elif change == "extend" and isinstance(value, str):
        place[name] = value + draw(st.text("0123456789.eE-+Z٣ \n", min_size=1, max_size=80))
    elif change == "cut" and isinstance(value, str):
        place[name] = value[: draw(st.integers(0, len(value)))]
    elif change == "negate":
        place[name] = f"-{value}" if isinstance(value, str) else -1
    elif change == "nul" and isinstance(value, str):
        place[name] = f"{value}\0"
    else:
        place[name] = draw(ANY_TEXT_VALUES)
    return event


def _objects(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the event and the objects of the contract in it that are not empty."""
    parts = [event.get(name) for name in ("customer", "merchant", "card", "counterparty")]
    return [event, *[part for part in parts if isinstance(part, dict) and part]]
