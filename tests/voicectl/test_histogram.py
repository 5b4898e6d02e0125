from typing import Any

import pytest

from voicectl.histogram import BAR, bar, stats
from voiced.conversation.status import Interruption
from voiced.tally import Tally


def told(*interruptions: Interruption, ducks: int = 0) -> str:
    tally = Tally(0.0)
    for each in interruptions:
        tally.take(each)
    for _ in range(ducks):
        tally.duck()
    report: Any = tally.report()
    return stats(report, "09:30")


def interruption(source: str, silent_ms: float, *, confirmed: bool = True) -> Interruption:
    return Interruption(source, silent_ms, 900, "i", confirmed)


def test_the_figures_are_told_with_their_bars() -> None:
    shown = told(
        interruption("local", 4.0),
        interruption("local", 4.5, confirmed=False),
        interruption("somebody", 700.0),
        ducks=12,
    )

    assert shown.splitlines() == [
        "since 09:30: 3 interruptions, 2 confirmed and 1 given back",
        "  noticed here:             2  (1 confirmed, 1 given back)",
        "  somebody:                 1  (1 confirmed, 0 given back)",
        "  made quieter:            12",
        "",
        "told to be silent → silent: median 4.5 ms, 95 % within 700 ms, at most 700 ms",
        f"        2 to 5 ms     2  {'█' * BAR}",
        "       5 to 10 ms     0",
        "      10 to 20 ms     0",
        "      20 to 50 ms     0",
        "     50 to 100 ms     0",
        "    100 to 200 ms     0",
        "    200 to 500 ms     0",
        f"      from 500 ms     1  {'█' * (BAR // 2)}",
    ]


def test_a_quiet_day_has_no_bars() -> None:
    assert told().splitlines() == ["since 09:30: no interruptions", "  made quieter:             0"]
    assert "1 interruption, 1 confirmed" in told(interruption("local", 4.0))


@pytest.mark.parametrize(
    ("share", "drawn"), [(0.0, ""), (0.0001, "▏"), (0.5, "█" * 20), (0.0125, "▌"), (1.0, "█" * 40)]
)
def test_a_bar_is_as_long_as_its_share_and_something_is_never_nothing(
    share: float, drawn: str
) -> None:
    assert bar(share) == drawn
