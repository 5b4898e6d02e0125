"""Other players: only what was paused here goes on, and also after a crash."""

import asyncio
import json
import logging
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from dbus_fast import Message, Variant

from tests.desktop.listener import running
from tests.rig.desktop import ANSWERS_WITHIN_S, FakePlayer, PrivateBus, on_bus
from voiced.desktop import bus as module
from voiced.desktop.bus import Bus, connected
from voiced.desktop.players import PREFIX, Players


@asynccontextmanager
async def playing(bus: PrivateBus, *statuses: str) -> AsyncIterator[list[FakePlayer]]:
    """Give players named 0, 1 and so on."""
    async with AsyncExitStack() as stack:
        made = []
        for number, status in enumerate(statuses):
            name = f"{PREFIX}player{number}"
            connection = await stack.enter_async_context(on_bus(bus.address, name))
            made.append(FakePlayer(connection, status))
        yield made


@asynccontextmanager
async def attended(bus: PrivateBus, players: Players) -> AsyncIterator[Bus]:
    """Have a bus attended to."""

    async def take(ours: Bus) -> None:
        while True:
            players.take(await ours.signal())

    async with (
        connected(bus.address) as ours,
        running(players.attend(ours)),
        running(take(ours)),
    ):
        await asyncio.sleep(0)
        yield ours


async def want(players: Players, *, paused: bool) -> None:
    """Want something, and wait until it is so."""
    players.want(paused=paused)
    async with asyncio.timeout(ANSWERS_WITHIN_S):
        await players.settled()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Return where it is kept what was paused."""
    return tmp_path / "players.json"


async def test_what_plays_is_paused_and_goes_on(bus: PrivateBus, kept: Path) -> None:
    players = Players(kept)
    players.want(paused=True)
    statuses = ("Playing", "Paused", "Stopped")
    async with playing(bus, *statuses) as three, attended(bus, players):
        music, film, radio = three
        await want(players, paused=True)
        mode = stat.S_IMODE((await asyncio.to_thread(kept.stat)).st_mode)
        assert [each.status for each in three] == ["Paused", "Paused", "Stopped"]
        await want(players, paused=False)

        assert [each.status for each in three] == list(statuses)
        assert (music.calls, film.calls, radio.calls) == (["Pause", "Play"], [], [])
        assert mode == 0o600
        assert not await asyncio.to_thread(kept.exists)


@pytest.mark.parametrize("meanwhile", ["Stopped", "Playing"])
async def test_what_somebody_changed_meanwhile_is_left_alone(
    bus: PrivateBus, kept: Path, meanwhile: str
) -> None:
    players = Players(kept)
    players.want(paused=True)
    async with playing(bus, "Playing") as (music,), attended(bus, players):
        await music.until(lambda: music.status == "Paused")
        music.become(meanwhile)
        await want(players, paused=False)

        assert music.status == meanwhile
        assert music.calls == ["Pause"]


async def test_what_somebody_started_and_paused_again_is_his(bus: PrivateBus, kept: Path) -> None:
    players = Players(kept)
    players.want(paused=True)
    async with playing(bus, "Playing") as (music,), attended(bus, players) as ours:
        await music.until(lambda: music.status == "Paused")
        await want(players, paused=True)
        music.become("Playing")
        music.become("Paused")
        # Whatever was said before the answer to this has been heard by then.
        await music.connection.request_name(f"{PREFIX}again")
        await ours.names()
        await asyncio.sleep(0)
        await want(players, paused=False)

        assert music.calls == ["Pause"]


async def test_a_player_that_was_started_again_is_another(bus: PrivateBus, kept: Path) -> None:
    players = Players(kept)
    players.want(paused=True)
    async with attended(bus, players):
        await want(players, paused=True)
        async with playing(bus, "Playing") as (music,):
            players.want(paused=False)
            await want(players, paused=True)
            assert music.status == "Paused"
        async with playing(bus, "Paused") as (music,):
            await want(players, paused=False)

            assert music.calls == []


async def test_a_proxy_is_no_player_and_two_names_are_one(bus: PrivateBus, kept: Path) -> None:
    players = Players(kept)
    players.want(paused=True)
    async with (
        playing(bus, "Playing") as (music,),
        on_bus(bus.address, f"{PREFIX}playerctld") as other,
    ):
        await music.connection.request_name(f"{PREFIX}player0.instance7")
        proxy = FakePlayer(other)
        async with attended(bus, players):
            await music.until(lambda: music.status == "Paused")
            await want(players, paused=False)

            assert proxy.calls == []
            assert music.calls == ["Pause", "Play"]


async def test_what_a_crash_left_paused_goes_on(bus: PrivateBus, kept: Path) -> None:
    async with playing(bus, "Playing", "Playing") as (music, film):
        crashed = Players(kept)
        crashed.want(paused=True)
        async with attended(bus, crashed):
            await music.until(lambda: music.status == "Paused")
            await film.until(lambda: film.status == "Paused")
        film.become("Stopped")

        async with attended(bus, Players(kept)):
            await music.until(lambda: music.status == "Playing")
            assert film.status == "Stopped"


async def test_what_is_to_stay_paused_after_a_crash_is_still_ours(
    bus: PrivateBus, kept: Path
) -> None:
    async with playing(bus, "Playing") as (music,):
        crashed = Players(kept)
        crashed.want(paused=True)
        async with attended(bus, crashed):
            await music.until(lambda: music.status == "Paused")

        players = Players(kept)
        players.want(paused=True)
        async with attended(bus, players):
            await want(players, paused=True)
            assert music.calls == ["Pause"]
            await want(players, paused=False)

            assert music.status == "Playing"


async def test_what_was_paused_on_another_bus_is_forgotten(bus: PrivateBus, kept: Path) -> None:
    async with playing(bus, "Paused") as (music,):
        owner = music.connection.unique_name
        await asyncio.to_thread(
            kept.write_text, json.dumps({"bus": "other", "players": [[f"{PREFIX}player0", owner]]})
        )
        players = Players(kept)
        async with attended(bus, players):
            await want(players, paused=False)

            assert music.calls == []


@pytest.mark.parametrize("said", ["", "{", "[]", '{"bus": 1, "players": [1]}', "\x00"])
async def test_a_file_that_makes_no_sense_is_nothing(
    bus: PrivateBus, kept: Path, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(kept.write_text, said)
    players = Players(kept)
    async with playing(bus, "Playing") as (music,), attended(bus, players):
        await want(players, paused=True)
        assert music.status == "Paused"
        await want(players, paused=False)
        assert music.status == "Playing"

    assert "players.json cannot be used" in caplog.text


async def test_a_player_that_hangs_keeps_nobody_waiting(
    bus: PrivateBus, kept: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.2)

    def say_nothing(message: Message) -> bool:
        return message.member == "Pause"

    async with playing(bus, "Playing", "Playing", "Playing") as (hung, music, odd):
        hung.connection.add_message_handler(say_nothing)
        hung.connection.remove_message_handler(hung._handle)
        hung.connection.add_message_handler(hung._handle)
        odd.properties[FakePlayer.PATH, FakePlayer.PLAYER, "PlaybackStatus"] = Variant("i", 1)
        players = Players(kept)
        async with attended(bus, players):
            await want(players, paused=True)

            assert music.status == "Paused"
            assert odd.calls == []
    assert "does not answer Pause" in caplog.text


@asynccontextmanager
async def deaf(player: FakePlayer, member: str) -> AsyncIterator[None]:
    """Have a player take something and never answer it."""

    def say_nothing(message: Message) -> bool:
        return message.member == member

    player.connection.remove_message_handler(player._handle)
    player.connection.add_message_handler(say_nothing)
    player.connection.add_message_handler(player._handle)
    try:
        yield
    finally:
        player.connection.remove_message_handler(say_nothing)


@pytest.mark.parametrize("member", ["Get", "Play"])
async def test_a_player_that_does_not_answer_goes_on_at_the_next_visit(
    bus: PrivateBus, kept: Path, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    async with playing(bus, "Playing", "Playing") as (hung, music):
        players = Players(kept)
        async with attended(bus, players):
            await want(players, paused=True)
            monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.2)
            async with deaf(hung, member):
                await want(players, paused=False)

            assert (hung.status, music.status) == ("Paused", "Playing")
            left = json.loads(await asyncio.to_thread(kept.read_text))["players"]
            assert [owner for _, owner in left] == [hung.connection.unique_name]
        monkeypatch.undo()
        async with attended(bus, players):
            await hung.until(lambda: hung.status == "Playing")
            await want(players, paused=False)

            assert not await asyncio.to_thread(kept.exists)
            assert music.calls == ["Pause", "Play"]


async def test_a_connection_that_breaks_leaves_them_for_the_next(
    bus: PrivateBus, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with playing(bus, "Playing") as (music,):
        players = Players(kept)
        async with attended(bus, players) as ours:
            await want(players, paused=True)
            monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.2)
            ours._connection.disconnect()
            await want(players, paused=False)
            assert music.status == "Paused"
        monkeypatch.undo()
        async with attended(bus, players):
            await music.until(lambda: music.status == "Playing")


async def test_a_player_that_is_gone_is_forgotten(bus: PrivateBus, kept: Path) -> None:
    players = Players(kept)
    async with attended(bus, players):
        async with playing(bus, "Playing"):
            await want(players, paused=True)
            assert await asyncio.to_thread(kept.exists)
        await want(players, paused=False)

        assert not await asyncio.to_thread(kept.exists)


async def test_what_cannot_be_written_down_is_not_paused(
    bus: PrivateBus, kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Writing goes by this name; where it is a directory, that fails for every user.
    blocked = kept.with_suffix(".new")
    await asyncio.to_thread(blocked.mkdir)
    players = Players(kept)
    async with playing(bus, "Playing") as (music,), attended(bus, players):
        for paused in (True, False, True, False):
            await want(players, paused=paused)
        assert music.calls == []
        assert caplog.text.count("players.json cannot be written") == 1

        await asyncio.to_thread(blocked.rmdir)
        await want(players, paused=True)
        assert music.status == "Paused"
        await want(players, paused=False)
        assert music.status == "Playing"


async def test_a_file_that_cannot_be_removed_ends_nothing(
    bus: PrivateBus, kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    players = Players(kept)
    async with playing(bus, "Playing") as (music,), attended(bus, players):
        await want(players, paused=True)
        await asyncio.to_thread(kept.unlink)
        await asyncio.to_thread(kept.mkdir)
        await want(players, paused=False)
        assert music.status == "Playing"
        await want(players, paused=False)

    assert caplog.text.count("players.json cannot be written") == 1


async def test_without_a_bus_there_is_nothing_to_wait_for(kept: Path) -> None:
    await want(Players(kept), paused=True)
