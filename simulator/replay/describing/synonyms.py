"""Words under which the fields of a payment event go elsewhere."""

import re
from typing import Final

# In the order in which equally good guesses are taken.
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "event_time": (
        "event time", "timestamp", "ts", "time", "datetime", "date time", "date", "step",
        "trans date trans time", "transaction date", "transaction time", "trx date", "tx time",
        "created at", "created", "booking date", "booked at", "value date", "posted at",
        "processed at", "occurred at", "authorised at", "authorized at", "datum",
        "buchungsdatum", "buchungstag", "fecha",
    ),
    "amount": (
        "amount", "amt", "value", "transaction amount", "trx amount", "tx amount", "trans amount",
        "price", "total", "sum", "gross amount", "net amount", "betrag", "montant", "importe",
    ),
    "currency": (
        "currency", "ccy", "curr", "currency code", "cur", "iso currency", "waehrung",
        "w\u00e4hrung", "devise", "moneda",
    ),
    "payment_method": (
        "payment method", "method", "payment type", "transaction type", "trx type", "tx type",
        "type", "instrument", "tender", "pay method", "card type", "product",
    ),
    "payment_status": (
        "payment status", "status", "state", "result", "outcome", "response", "response code",
        "decision", "transaction status",
    ),
    "transaction_id": (
        "transaction id", "transactionid", "trx id", "tx id", "txn id", "trans id", "trans num",
        "payment id", "id", "reference", "ref", "uuid", "transaction number", "order id",
    ),
    "original_transaction_id": (
        "original transaction id", "original id", "original reference", "parent id",
        "refund of", "refunded transaction id", "related transaction id",
    ),
    "customer.id": (
        "customer id", "customer", "client id", "client", "user id", "user", "payer id", "payer",
        "account id", "account", "name orig", "nameorig", "sender", "sender account", "from",
        "debtor", "cardholder id", "consumer id", "iban",
    ),
    "customer.email": ("email", "e mail", "mail", "customer email", "payer email"),
    "customer.country": (
        "customer country", "country", "payer country", "billing country", "country code",
        "sender country",
    ),
    "card.number": (
        "card number", "card no", "pan", "cc num", "cc number", "credit card number", "cardnumber",
        "cc",
    ),
    "card.brand": ("card brand", "brand", "scheme", "network", "card network", "card scheme"),
    "card.bin": ("card bin", "bin", "iin"),
    "card.last4": ("last4", "last 4", "last four", "card last4", "card last four"),
    "merchant.id": ("merchant id", "mid", "shop id", "store id", "seller id", "payee id"),
    "merchant.name": (
        "merchant name", "merchant", "shop", "store", "payee", "seller", "beneficiary name",
    ),
    "merchant.mcc": ("mcc", "merchant category code", "category code"),
    "merchant.category": ("merchant category", "category", "industry"),
    "merchant.country": ("merchant country", "shop country", "payee country"),
    "counterparty.id": (
        "counterparty", "counterparty id", "name dest", "namedest", "receiver", "recipient",
        "beneficiary", "creditor", "to", "to account", "target account",
    ),
    "counterparty.country": ("counterparty country", "receiver country", "beneficiary country"),
    "channel": ("channel", "entry mode", "source", "use chip"),
    "device_type": ("device type", "device", "terminal type"),
}  # fmt: skip

# Their words, folded, to ours.
WORDS: Final[dict[str, dict[str, str]]] = {
    "payment_method": {
        "credit": "credit_card", "creditcard": "credit_card", "cc": "credit_card",
        "card": "credit_card", "visa": "credit_card", "mastercard": "credit_card",
        "amex": "credit_card", "payment": "digital_wallet", "debit": "debit_card",
        "debitcard": "debit_card", "maestro": "debit_card", "girocard": "debit_card",
        "transfer": "bank_transfer", "wire": "bank_transfer", "sepa": "bank_transfer",
        "ach": "bank_transfer", "banktransfer": "bank_transfer", "directdebit": "bank_transfer",
        "wallet": "digital_wallet", "digitalwallet": "digital_wallet",
        "applepay": "digital_wallet", "googlepay": "digital_wallet", "paypal": "digital_wallet",
        "crypto": "cryptocurrency", "cryptocurrency": "cryptocurrency", "bitcoin": "cryptocurrency",
        "btc": "cryptocurrency", "cash": "cash_equivalent", "cashout": "cash_equivalent",
        "cashin": "cash_equivalent", "cashequivalent": "cash_equivalent",
        "voucher": "cash_equivalent", "giftcard": "cash_equivalent",
    },
    "payment_status": {
        "completed": "completed", "complete": "completed", "success": "completed",
        "successful": "completed", "succeeded": "completed", "approved": "completed",
        "settled": "completed", "captured": "completed", "paid": "completed", "ok": "completed",
        "booked": "completed", "accepted": "completed", "00": "completed", "failed": "failed",
        "failure": "failed", "declined": "failed", "rejected": "failed", "refused": "failed",
        "error": "failed", "pending": "pending", "processing": "pending", "authorized": "pending",
        "authorised": "pending", "open": "pending", "cancelled": "cancelled",
        "canceled": "cancelled", "voided": "cancelled", "void": "cancelled",
        "aborted": "cancelled", "refunded": "refunded", "refund": "refunded",
        "reversed": "refunded", "chargeback": "refunded",
    },
    "channel": {
        "web": "web", "online": "web", "internet": "web", "ecommerce": "web", "ecom": "web",
        "onlinetransaction": "web", "mobile": "mobile_app", "app": "mobile_app",
        "mobileapp": "mobile_app", "pos": "point_of_sale", "pointofsale": "point_of_sale",
        "instore": "point_of_sale", "chiptransaction": "point_of_sale",
        "swipetransaction": "point_of_sale", "atm": "atm", "phone": "phone", "moto": "phone",
        "telephone": "phone", "mailorder": "mail_order", "api": "api", "branch": "branch",
    },
    "device_type": {
        "desktop": "desktop", "pc": "desktop", "mobile": "mobile", "phone": "mobile",
        "smartphone": "mobile", "tablet": "tablet", "terminal": "terminal", "pos": "terminal",
        "wearable": "wearable", "watch": "wearable", "server": "server",
    },
}  # fmt: skip

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z\u00df-\u00ff]+|[0-9]+")
_SHORTEST_PIECE: Final = 4


def folded(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return "".join(character for character in text.casefold() if character.isalnum())


def likeness(column: str, field: str) -> float:
    """Return how much the name of a column says that it holds a field, 0 to 1."""
    words = [word.casefold() for word in _WORD.findall(column)]
    best = 0.0
    for synonym in NAMES[field]:
        parts = synonym.split()
        joined = "".join(parts)
        if folded(column) == joined:
            return 1.0
        if set(parts) <= set(words):
            best = max(best, 0.7 if len(parts) == len(words) else 0.5 + 0.05 * len(parts))
        elif len(joined) >= _SHORTEST_PIECE and joined in folded(column):
            best = max(best, 0.4)
    return best
