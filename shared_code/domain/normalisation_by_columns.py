"""Normalises the payment events of a batch at once, field by field.

``normalise`` says what an event comes to. This comes to the same in less time, since each step is
taken for all events: of a column without anything unusual at once, else value by value with the
functions of ``normalise``. Events that it would refuse, or would take digits of a card from, are
left to it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import compress, count
from operator import not_
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from shared_code.domain.currencies import CURRENCIES, Currency
from shared_code.domain.event_time import parse_event_times
from shared_code.domain.horizon import Horizon
from shared_code.domain.money import parse_amount, parse_cents
from shared_code.domain.normalisation import (
    CANONICAL,
    EMAIL,
    FLAG,
    FOUR_DIGITS,
    NO_CARD,
    NO_COUNTERPARTY,
    NO_CUSTOMER,
    NO_MERCHANT,
    card_flags,
    codes_of,
    countries_of,
    email_domain,
    event_time_within,
    is_bin,
    read_metadata,
)
from shared_code.domain.normalised_payment import (
    AcceptedPayment,
    NormalisedPayment,
    content_hashes,
)
from shared_code.domain.payment_event import (
    MAX_METADATA_BYTES,
    MAX_METADATA_DEPTH,
    Card,
    PaymentEvent,
)
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.refusal import EventRefused

# Many of them, a line each.
_EMAILS: Final = re.compile(rf"(?:{EMAIL.pattern}\n)*+")
_METADATA: Final = msgspec.json.Decoder(dict[str, Any] | None)


def normalise_columns(
    events: Sequence[PaymentEvent], *, pseudonymiser: Pseudonymiser, horizon: Horizon
) -> list[AcceptedPayment | None]:
    """Return what ``normalise`` makes of each event; None for those that are left to it.

    Args:
        events: decoded and without a card number in them.
        pseudonymiser: replaces e-mail addresses.
        horizon: the event times that are accepted.
    """
    if not events:
        return []
    fields: list[Any] = list(zip(*map(astuple, events), strict=True))
    (
        transaction_ids,
        times,
        amount_tokens,
        currency_codes,
        method_names,
        status_names,
        channel_names,
        device_names,
        customers,
        merchants,
        cards,
        counterparties,
        originals,
        raw_metadata,
    ) = fields
    methods, statuses, channels, device_types, code_flags = zip(
        *map(
            codes_of, method_names, status_names, channel_names, device_names, map(bool, originals)
        ),
        strict=True,
    )
    currencies: list[Any] = list(map(CURRENCIES.get, currency_codes))
    amounts = _amounts(amount_tokens, currencies)
    event_times = _event_times(times, horizon)
    stored, canonical = _metadata(raw_metadata)
    cards = _sound(_or(cards, NO_CARD))

    needed = (currencies, methods, statuses, amounts, event_times, canonical, cards)
    # "None in column" would compare each Decimal with None, at forty times the price.
    if any(value is None for column in needed for value in column):
        ordinary = [
            not any(value is None for value in of_one) for of_one in zip(*needed, strict=True)
        ]
        some = list(compress(events, ordinary))
        rest = iter(normalise_columns(some, pseudonymiser=pseudonymiser, horizon=horizon))
        return [next(rest) if kept else None for kept in ordinary]

    customers = _or(customers, NO_CUSTOMER)
    merchants = _or(merchants, NO_MERCHANT)
    counterparties = _or(counterparties, NO_COUNTERPARTY)
    customer_ids = [customer.id or None for customer in customers]
    mccs = [merchant.mcc or "" for merchant in merchants]
    mcc_numbers = list(map(FOUR_DIGITS.get, mccs))
    customer_countries, merchant_countries, counterparty_countries, country_flags = zip(
        *map(
            countries_of,
            [customer.country for customer in customers],
            [merchant.country for merchant in merchants],
            [counterparty.country for counterparty in counterparties],
        ),
        strict=True,
    )
    email_hashes, email_domains, email_flags = _emails(
        [customer.email for customer in customers], pseudonymiser
    )
    bins = [card.bin or None for card in cards]
    last_fours = [card.last4 or None for card in cards]
    fingerprints = [card.fingerprint or None for card in cards]

    flags = [
        codes | countries | email | card
        for codes, countries, email, card in zip(
            code_flags,
            country_flags,
            email_flags,
            map(card_flags, methods, bins, last_fours, fingerprints),
            strict=True,
        )
    ]
    _flag(flags, "zero_amount", map(not_, amounts))
    _flag(flags, "future_event_time", map(horizon.now.__lt__, event_times))
    _flag(flags, "customer_id_missing", map(not_, customer_ids))
    if None in mcc_numbers:
        wrong = [bool(mcc) and mcc not in FOUR_DIGITS for mcc in mccs]
        _flag(flags, "merchant_mcc_invalid", wrong)

    payments = list(
        map(
            NormalisedPayment,
            event_times,
            transaction_ids,
            statuses,
            methods,
            [currency.number for currency in currencies],
            amounts,
            channels,
            device_types,
            customer_ids,
            customer_countries,
            email_hashes,
            email_domains,
            [merchant.id or None for merchant in merchants],
            [merchant.name or None for merchant in merchants],
            [merchant.category or None for merchant in merchants],
            mcc_numbers,
            merchant_countries,
            [card.brand or None for card in cards],
            bins,
            last_fours,
            fingerprints,
            [counterparty.id or None for counterparty in counterparties],
            counterparty_countries,
            [original or None for original in originals],
        )
    )
    return list(map(AcceptedPayment, payments, stored, flags, content_hashes(payments, canonical)))


def _or[Part](parts: Iterable[Part | None], absent: Part) -> list[Part]:
    return [absent if part is None else part for part in parts]


def _unless_refused[**Given, Value](
    convert: Callable[Given, Value], *given: Given.args, **named: Given.kwargs
) -> Value | None:
    try:
        return convert(*given, **named)
    except EventRefused:
        return None


# Each of these returns a column with None for what is refused.


def _amounts(tokens: Sequence[msgspec.Raw], currencies: Sequence[Currency | None]) -> Sequence[Any]:
    return parse_cents(tokens, currencies) or [
        None if currency is None else _unless_refused(parse_amount, bytes(token), currency)
        for token, currency in zip(tokens, currencies, strict=True)
    ]


def _event_times(texts: Sequence[str], horizon: Horizon) -> Sequence[Any]:
    times = parse_event_times(texts)
    if times and horizon.earliest <= min(times) and max(times) <= horizon.latest:
        return times
    return [_unless_refused(event_time_within, text, horizon) for text in texts]


def _metadata(raws: Sequence[msgspec.Raw]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return metadata as they came, None if absent, and their canonical form."""
    joined = b"\n".join([raw or b"null" for raw in raws])
    texts = joined.split(b"\n")
    # What has lines of its own makes more of them.
    if len(texts) == len(raws) and _are_plain(texts):
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            lines = CANONICAL.encode_lines(_METADATA.decode_lines(joined))
            return (
                [None if text == "null" else text for text in joined.decode().split("\n")],
                [b"" if text == b"null" else text for text in lines[:-1].split(b"\n")],
            )
    read = [_unless_refused(read_metadata, raw) or (None, None) for raw in raws]
    stored, canonical = zip(*read, strict=True)
    return stored, canonical


def _are_plain(texts: Sequence[bytes]) -> bool:
    # What is nested too deeply needs two bytes for each level.
    return max(map(len, texts)) <= 2 * MAX_METADATA_DEPTH or all(
        len(text) <= MAX_METADATA_BYTES
        and text.count(b"[") + text.count(b"{") <= MAX_METADATA_DEPTH
        for text in texts
    )


def _sound(cards: list[Card]) -> Sequence[Any]:
    """Return cards whose digits may be those of a card; None in the place of others."""
    bins = {card.bin for card in cards}
    last_fours = {card.last4 for card in cards}
    wrong_bins = {each for each in bins if each and not is_bin(each)}
    wrong_last_fours = {each for each in last_fours if each and each not in FOUR_DIGITS}
    if not wrong_bins and not wrong_last_fours:
        return cards
    return [
        None if card.bin in wrong_bins or card.last4 in wrong_last_fours else card for card in cards
    ]


def _emails(
    addresses: Sequence[Any], pseudonymiser: Pseudonymiser
) -> tuple[Sequence[bytes | None], Sequence[str | None], Sequence[int]]:
    """Return hash and domain of each address, and the flag for why there is none."""
    if all(addresses) and _EMAILS.fullmatch("\n".join([*addresses, ""])):
        known = [address.partition("@")[2].lower() for address in addresses]
        return pseudonymiser.emails(addresses), known, [0] * len(known)
    domains, flags = zip(*map(email_domain, addresses), strict=True)
    hashes = iter(pseudonymiser.emails([each or "" for each in compress(addresses, domains)]))
    return [next(hashes) if domain else None for domain in domains], domains, flags


def _flag(flags: list[int], name: str, wrong: Iterable[bool]) -> None:
    """Add a flag where something is wrong."""
    for row in compress(count(), wrong):
        flags[row] |= FLAG[name]
