"""What responses cost, estimated from a price table.

Prices are US dollars for a million tokens, from the providers' model pages as of
November 2026.  Cached tokens are inside the input counts and cheaper.
"""

from dataclasses import dataclass

from voiced.conversation.events import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of one model."""

    text_in: float
    text_cached: float
    text_out: float
    audio_in: float
    audio_cached: float
    audio_out: float
    image_in: float
    image_cached: float


LARGE = Price(4.00, 0.40, 24.00, 32.00, 0.40, 64.00, 5.00, 0.50)
PLAIN = Price(4.00, 0.40, 16.00, 32.00, 0.40, 64.00, 5.00, 0.50)
MINI = Price(0.60, 0.06, 2.40, 10.00, 0.30, 20.00, 0.80, 0.08)

PRICES = {
    "gpt-realtime-2.1-mini": MINI,
    "gpt-realtime-mini": MINI,
    "gpt-realtime-2.1": LARGE,
    "gpt-realtime-2": LARGE,
    "gpt-realtime-1.5": PLAIN,
    "gpt-realtime": PLAIN,
}


def price_of(model: str) -> Price | None:
    """Find the price of a model, also of a dated snapshot such as gpt-realtime-2025-08-28."""
    if model in PRICES:
        return PRICES[model]
    name, _, snapshot = model.partition("-20")
    return PRICES.get(name) if snapshot[:1].isdigit() else None


def cost_usd(usage: Usage, price: Price) -> float:
    """Return what one response cost, in US dollars."""
    parts = (
        (usage.text_in - usage.text_cached) * price.text_in,
        usage.text_cached * price.text_cached,
        usage.text_out * price.text_out,
        (usage.audio_in - usage.audio_cached) * price.audio_in,
        usage.audio_cached * price.audio_cached,
        usage.audio_out * price.audio_out,
        (usage.image_in - usage.image_cached) * price.image_in,
        usage.image_cached * price.image_cached,
    )
    return sum(parts) / MILLION


@dataclass(slots=True)
class Purse:
    """What was spent, and what may be."""

    usd_per_day: float = 0.0
    """Hard cap for a day; 0 means none."""
    usd_today: float = 0.0
    usd_session: float = 0.0

    def spend(self, usage: Usage, model: str) -> float:
        """Add the cost of a response and return it; a model without a price costs nothing."""
        price = price_of(model)
        usd = cost_usd(usage, price) if price else 0.0
        self.usd_today += usd
        self.usd_session += usd
        return usd

    def is_empty(self) -> bool:
        """Tell whether the day's cap is reached."""
        return 0.0 < self.usd_per_day <= self.usd_today
