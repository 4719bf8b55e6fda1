"""What is injected for the pipeline to find: how much of it, and how well hidden."""

from typing import Annotated

from msgspec import Meta

from simulator.configuration.base import Part
from simulator.configuration.types import Duration, Positive, Share, SmallShare


class Violation(Part, frozen=True):
    """How often a violation is injected, and how well it hides."""

    share: Annotated[
        SmallShare,
        Meta(
            description="Events that belong to it, as a share of the payments. Met to within one"
            " occurrence over the whole simulation, at least one, where there is room for it."
            " Pending events that precede some of them come on top."
        ),
    ] = 0.0
    subtlety: Annotated[
        Share | None,
        Meta(
            description="0: plain to see; 1: hardly told from ordinary payments. Default: that of"
            " all violations."
        ),
    ] = None


class Spread(Violation, frozen=True):
    """A violation of many payments that takes its time."""

    within: Annotated[
        Duration, Meta(description="First to last payment, at most; the simulation's end cuts it.")
    ] = "20h"


class Structuring(Spread, frozen=True):
    """A sum above the reporting threshold in payments that each stay below it."""

    threshold: Annotated[
        Positive, Meta(description="The reporting threshold, in the currency of the payment.")
    ] = 10_000.0


class LargeAmount(Violation, frozen=True):
    """A single payment that has to be looked at for its size."""

    threshold: Annotated[Positive, Meta(description="In US dollars; amounts lie above.")] = 12_500.0


class FutureTime(Violation, frozen=True):
    """An event time that has not come yet."""

    ahead: Annotated[
        tuple[Duration, Duration],
        Meta(
            description="How far after the end of the simulation: at least, at most. Less than a"
            " day ahead of the clock an event is stored and flagged; beyond, it is refused."
        ),
    ] = ("7d", "30d")


class OrphanRefund(Violation, frozen=True):
    """A refund of a payment that nobody made."""

    minimum: Annotated[
        Positive, Meta(description="Smallest plain one, in US dollars; subtle ones are smaller.")
    ] = 150.0


class Violations(Part, frozen=True):
    """Every kind of violation. One without a share is not injected."""

    subtlety: Annotated[
        Share,
        Meta(description="0: plain to see; 1: hardly told from ordinary payments."),
    ] = 0.0
    lookalike_share: Annotated[
        SmallShare,
        Meta(
            description="Honest payments that resemble violations and have no label: large"
            " invoices, pay runs, shopping sprees, travellers, mistyped card numbers."
        ),
    ] = 0.0

    # Money laundering
    structuring: Annotated[
        Structuring,
        Meta(description="A customer stays just below the reporting threshold, again and again."),
    ] = Structuring()
    large_amount: Annotated[
        LargeAmount, Meta(description="One payment far above what is ordinary.")
    ] = LargeAmount()
    rapid_fire: Annotated[
        Violation,
        Meta(
            description="One customer pays over and over within a minute or two, as a script does."
        ),
    ] = Violation()
    fan_in: Annotated[
        Spread, Meta(description="Many customers pay one account (counterparty) within a day.")
    ] = Spread()
    fan_out: Annotated[
        Spread, Meta(description="One customer pays many accounts within a day.")
    ] = Spread()
    cycle: Annotated[
        Spread,
        Meta(
            description="Money goes round through accounts of several customers, back to the first."
        ),
    ] = Spread()
    scatter_gather: Annotated[
        Spread,
        Meta(description="One customer's money reaches one account through many in between."),
    ] = Spread()
    layering: Annotated[
        Spread,
        Meta(description="Money passes through a chain of accounts, some of it left at each."),
    ] = Spread()
    high_risk_country: Annotated[
        Violation, Meta(description="A party in a country for which the FATF calls for action.")
    ] = Violation()

    # Know your customer
    missing_customer_id: Annotated[Violation, Meta(description="No customer id.")] = Violation()
    invalid_customer_id: Annotated[
        Violation,
        Meta(
            description="A customer id that identifies nobody: a placeholder, a number, too long."
        ),
    ] = Violation()
    missing_email: Annotated[Violation, Meta(description="No e-mail address.")] = Violation()
    invalid_email: Annotated[Violation, Meta(description="An e-mail address that is none.")] = (
        Violation()
    )
    missing_country: Annotated[Violation, Meta(description="No country of the customer.")] = (
        Violation()
    )
    invalid_country: Annotated[
        Violation, Meta(description="A country of the customer that does not exist.")
    ] = Violation()

    # Card data
    card_number_in_clear: Annotated[
        Violation, Meta(description="A full card number, in a field where it has no business.")
    ] = Violation()
    missing_card_data: Annotated[
        Violation, Meta(description="A card payment without card data.")
    ] = Violation()
    invalid_card_data: Annotated[Violation, Meta(description="Card data that cannot be right.")] = (
        Violation()
    )
    forbidden_card_data: Annotated[
        Violation, Meta(description="Card data with a payment that was not made by card.")
    ] = Violation()

    # Data quality
    negative_amount: Annotated[Violation, Meta(description="An amount below zero: refused.")] = (
        Violation()
    )
    zero_amount: Annotated[
        Violation, Meta(description="An amount of zero: stored and flagged.")
    ] = Violation()
    wrong_scale: Annotated[
        Violation, Meta(description="More decimals than the currency has: refused.")
    ] = Violation()
    unknown_currency: Annotated[
        Violation, Meta(description="A currency that is none: refused.")
    ] = Violation()
    unknown_status: Annotated[Violation, Meta(description="A status that is none: refused.")] = (
        Violation()
    )
    future_time: Annotated[
        FutureTime,
        Meta(
            description="An event time that has not come yet: flagged within a day, refused beyond."
        ),
    ] = FutureTime()
    ancient_time: Annotated[Violation, Meta(description="An event time of years ago: refused.")] = (
        Violation()
    )
    malformed_json: Annotated[
        Violation, Meta(description="A message that is no JSON: refused.")
    ] = Violation()
    truncated_message: Annotated[
        Violation, Meta(description="A message that ends in the middle: refused.")
    ] = Violation()
    oversized_metadata: Annotated[
        Violation, Meta(description="Metadata of more than 16 KiB: refused.")
    ] = Violation()
    contract_breach: Annotated[
        Violation, Meta(description="Every other way to break the contract, in turn: refused.")
    ] = Violation()

    # Business rules
    status_mismatch: Annotated[
        Violation,
        Meta(description="A failed or cancelled payment that is completed or refunded even so."),
    ] = Violation()
    orphan_refund: Annotated[
        OrphanRefund, Meta(description="A refund of a payment that nobody made.")
    ] = OrphanRefund()
    currency_mismatch: Annotated[
        Violation,
        Meta(description="Customer and merchant of one country, and another country's currency."),
    ] = Violation()

    # Fraud and operations
    card_testing: Annotated[
        Violation, Meta(description="Small failures with one card until it works, at one merchant.")
    ] = Violation()
    account_takeover: Annotated[
        Violation,
        Meta(
            description="Somebody else has a customer's account: new places, new cards, large sums."
        ),
    ] = Violation()
    impossible_travel: Annotated[
        Violation, Meta(description="One card at points of sale of two countries within minutes.")
    ] = Violation()
    failure_burst: Annotated[
        Violation, Meta(description="One merchant cannot get its cards through for some minutes.")
    ] = Violation()
