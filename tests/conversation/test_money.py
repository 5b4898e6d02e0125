import pytest

from voiced.conversation.events import Usage
from voiced.conversation.money import LARGE, MINI, PLAIN, Purse, cost_usd, price_of

USAGE = Usage(
    text_in=1000,
    audio_in=600,
    image_in=100,
    text_cached=200,
    audio_cached=100,
    image_cached=50,
    text_out=300,
    audio_out=400,
)


def test_the_cost_of_a_response_is_the_sum_by_kind_of_token() -> None:
    by_hand = (
        800 * 4.0
        + 200 * 0.4
        + 300 * 24.0
        + 500 * 32.0
        + 100 * 0.4
        + 400 * 64.0
        + 50 * 5.0
        + 50 * 0.5
    ) / 1e6

    assert cost_usd(USAGE, LARGE) == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-realtime-2.1", LARGE),
        ("gpt-realtime-2.1-mini", MINI),
        ("gpt-realtime-2025-08-28", PLAIN),
        ("gpt-realtime-mini-2025-12-15", MINI),
        ("parrot", None),
        ("gpt-realtime-20x", None),
        ("my-20", None),
    ],
)
def test_a_model_is_priced_by_its_name_or_that_of_its_snapshot(model: str, price: object) -> None:
    assert price_of(model) == price


def test_a_purse_adds_up() -> None:
    purse = Purse()
    purse.spend(USAGE, "gpt-realtime-2.1")
    purse.spend(USAGE, "gpt-realtime-2.1")

    assert purse.usd_today == purse.usd_session == pytest.approx(2 * cost_usd(USAGE, LARGE))


def test_a_model_without_a_price_costs_nothing() -> None:
    assert Purse().spend(USAGE, "parrot") == 0.0


def test_a_purse_is_empty_at_its_cap_and_never_without_one() -> None:
    assert Purse(usd_per_day=1.0, usd_today=1.0).is_empty()
    assert not Purse(usd_per_day=1.0, usd_today=0.99).is_empty()
    assert not Purse(usd_per_day=0.0, usd_today=99.0).is_empty()
