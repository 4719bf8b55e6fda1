"""How the optional parts of payment events are filled in, in columns and one by one."""

from typing import Final

CARD_METHODS: Final = ("credit_card", "debit_card")
TRANSFERS: Final = frozenset({"bank_transfer", "cryptocurrency"})
"""Methods whose payments name a counterparty, and are confirmed by somebody else, later."""

DEVICES: Final = {
    "web": ("desktop", "desktop", "mobile", "tablet"),
    "mobile_app": ("mobile", "mobile", "tablet", "wearable"),
    "point_of_sale": ("terminal",),
    "api": ("server",),
    "phone": ("mobile",),
    "branch": ("terminal",),
}
OFFSETS_MINUTES: Final = (-480, -300, 60, 120, 330, 540)

# Shares of payments that leave out what nobody has to give.
CHANNEL_ABSENT: Final = 0.05
DEVICE_ABSENT: Final = 0.1
METADATA_ABSENT: Final = 0.6
