"""The daemon and voicectl as processes, on a virtual sound card."""

import asyncio
import json
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import zmq
import zmq.asyncio

from tests.audio.probe import Trial, noise, repeated_if_disturbed, sounding, until
from tests.rig.daemon import (
    ANSWERS_WITHIN_S,
    STOP_WITHIN_S,
    Daemon,
    DaemonError,
    configuration,
)
from tests.rig.provider import Piece, ScriptedProvider, Wire
from tests.rig.recorder import Recorder, write_wav
from tests.rig.soundcard import VirtualSoundCard
from tests.rig.user import speak
from voiced.control.messages import decode_levels
from voiced.control.protocol import EVENTS_SOCKET, LEVELS

pytestmark = pytest.mark.timeout(120)

MIC = "mic.monitor"
"""The source that the daemon records from."""
UNTOUCHED = {"echo_cancellation": False, "half_duplex": "never"}
"""What is spoken goes to the server bit by bit."""


@asynccontextmanager
async def conversation(
    card: VirtualSoundCard, **tables: dict[str, object]
) -> AsyncIterator[tuple[Daemon, Wire]]:
    """Give a daemon that listens, and its session with a scripted provider.

    Raises:
        DaemonError: It did not end well, or broke a rule of the protocol.
    """
    async with ScriptedProvider() as provider:
        config = configuration(provider.base_url, log={"level": "debug"}, **tables)
        daemon = Daemon(card.environment(), config)
        await asyncio.to_thread(daemon.start)
        try:
            await asyncio.to_thread(daemon.ask, "start")
            await state(daemon, "listening", mic_open=True)
            yield daemon, await provider.wire()
        finally:
            status = await asyncio.to_thread(daemon.stop)
            breaches = [breach for wire in provider.wires for breach in wire.rules.violations]
            if status != 0 or breaches:
                raise DaemonError(f"status {status}, breaches: {breaches}\n{daemon.log}")


async def ctl(daemon: Daemon, *arguments: str, expect: int = 0) -> str:
    """Run voicectl and return what it printed."""
    done = await asyncio.to_thread(daemon.ctl, *arguments, check=False)
    assert done.returncode == expect, (done.stdout, done.stderr, daemon.log)
    return done.stdout if expect == 0 else done.stderr


async def state(daemon: Daemon, name: str, **fields: object) -> None:
    """Wait until the daemon is next in a state."""
    await asyncio.to_thread(daemon.until, "state", ANSWERS_WITHIN_S, state=name, **fields)


async def count_losses(trial: Trial, daemon: Daemon) -> None:
    """Note how often the daemon's devices ran dry or over."""
    audio = (await asyncio.to_thread(daemon.status))["audio"]
    trial.losses += audio["underruns"] + audio["overruns"]


# --- the conversation ----------------------------------------------------------------------


@repeated_if_disturbed
async def test_what_is_spoken_reaches_the_server_and_its_reply_the_loudspeaker(
    trial: Trial, card: VirtualSoundCard, tmp_path: Path
) -> None:
    spoken, reply = noise(300, seed=1), noise(400, seed=2)
    path = tmp_path / "user.wav"
    write_wav(path, np.frombuffer(spoken, "<i2"), 24_000)
    async with conversation(card, audio=UNTOUCHED) as (daemon, wire):
        with trial.recorder(card) as recorder, trial.recorder(card, source=MIC) as user:
            await speak(card, path)
            await wire.turn_ended()
            await wire.reply("resp_1", [Piece("item_1", reply)])
            await state(daemon, "speaking")
            await state(daemon, "listening")
            played, was_spoken = recorder.samples(), user.samples()
        heard = b"".join(pcm for _, pcm in wire.appended)
        await count_losses(trial, daemon)
        # Whoever speaks can be starved, too, and stutters.
        trial.losses += spoken not in was_spoken.tobytes()

    assert spoken in heard
    assert reply in played.tobytes()


@repeated_if_disturbed
async def test_an_interruption_is_told_measured_and_final(
    trial: Trial, card: VirtualSoundCard
) -> None:
    async with conversation(card) as (daemon, wire):
        with trial.recorder(card) as recorder:
            await wire.turn_ended()
            await wire.reply("resp_1", [Piece("item_1", noise(10_000))])
            await until(recorder, lambda it: sounding(it).size > 24 * 450)
            await wire.speech_started("user_2")
            truncate = (await wire.expect("conversation.item.truncate")).event
        await wire.turn_ended("user_2")
        await wire.reply("resp_2", [Piece("item_2", noise(300))])
        await state(daemon, "speaking", session={"turns": 2})
        await state(daemon, "listening")
        report = await asyncio.to_thread(daemon.status)
        await count_losses(trial, daemon)

    assert truncate["item_id"] == "item_1"
    assert truncate["audio_end_ms"] > 400
    assert report["last_interruption"]["source"] == "server"
    assert report["last_interruption"]["heard_ms"] == truncate["audio_end_ms"]
    assert report["last_interruption"]["item_id"] == "item_1"
    assert report["session"]["turns"] == 2


async def test_voicectl_interrupt_cancels_by_id(card: VirtualSoundCard) -> None:
    async with conversation(card) as (daemon, wire):
        await wire.created("resp_1")
        await wire.item_added("resp_1", Piece("item_1", b""))
        # Long enough for voicectl to start on a machine that is busy.
        with Recorder(card) as recorder:
            await wire.delta("resp_1", "item_1", noise(20_000))
            # What has not been heard at all is not truncated.
            await until(recorder, lambda it: sounding(it).size > 24 * 200)
        await state(daemon, "speaking")
        assert await ctl(daemon, "interrupt") == "listening\n"
        cancel = (await wire.expect("response.cancel")).event
        await wire.expect("conversation.item.truncate")
        stats = json.loads(await ctl(daemon, "stats", "--json"))
        timeline = json.loads(await ctl(daemon, "timeline", "--json"))

    assert stats["interruptions"]["by_source"]["control"] == {"confirmed": 1, "given_back": 0}
    assert {"cut", "silent"} <= {mark["name"] for mark in timeline["marks"]}
    assert cancel["response_id"] == "resp_1"


@repeated_if_disturbed
async def test_audio_flows_without_gaps_also_while_muted(
    trial: Trial, card: VirtualSoundCard
) -> None:
    """One second with the microphone, one muted, one with it again."""
    async with conversation(card) as (daemon, wire):
        with trial.recorder(card, source=MIC):
            await wire.hear(1)
            began = len(wire.appended)
            started_s = wire.appended[-1][0]
            await asyncio.sleep(1.0)
            await asyncio.to_thread(daemon.ask, "mute", wish="on")
            await state(daemon, "muted", mic_open=False)
            await asyncio.sleep(1.0)
            await asyncio.to_thread(daemon.ask, "mute", wish="off")
            await state(daemon, "listening", mic_open=True)
            await asyncio.sleep(1.0)
            pieces = wire.appended[began:]
        await count_losses(trial, daemon)

    seconds = pieces[-1][0] - started_s
    sent_s = sum(len(pcm) for _, pcm in pieces) / 48_000
    gaps = np.diff([at_s for at_s, _ in pieces])
    assert sent_s == pytest.approx(seconds, abs=0.15)
    assert gaps.max() < 0.3


async def test_say_is_answered_and_a_text_of_nothing_is_refused(card: VirtualSoundCard) -> None:
    async with conversation(card) as (daemon, wire):
        assert await ctl(daemon, "say", "what", "time", "is", "it") == "thinking\n"
        item = (await wire.expect("conversation.item.create")).event["item"]
        create = (await wire.expect("response.create")).event
        assert "nothing to say" in await ctl(daemon, "say", " ", expect=2)

    assert item["content"] == [{"type": "input_text", "text": "what time is it"}]
    assert create["response"]["metadata"]["voiced"] == create["event_id"]


async def test_a_held_key_is_a_turn_with_manual_detection(card: VirtualSoundCard) -> None:
    async with conversation(card, turns={"detection": "manual"}) as (daemon, wire):
        await asyncio.sleep(0.3)
        assert wire.appended == []
        await ctl(daemon, "ptt", "press")
        await wire.hear(20)
        await ctl(daemon, "ptt", "release")
        await wire.expect("input_audio_buffer.commit")
        await wire.send({"type": "input_audio_buffer.committed", "item_id": "u"})
        await wire.expect("response.create")


async def test_a_held_key_is_a_turn_over_a_server_that_finds_the_turns(
    card: VirtualSoundCard,
) -> None:
    async with conversation(card) as (daemon, wire):
        await ctl(daemon, "mute")
        await state(daemon, "muted", mic_open=False)
        await ctl(daemon, "ptt", "press")
        await state(daemon, "listening", mic_open=True, ptt=True)
        pressed = (await wire.expect("session.update", after=1)).event
        await wire.hear(len(wire.appended) + 20)
        await ctl(daemon, "ptt", "release")
        await wire.expect("input_audio_buffer.commit")
        released = (await wire.expect("session.update", after=2)).event
        await wire.send({"type": "input_audio_buffer.committed", "item_id": "u"})
        await wire.expect("response.create")
        await state(daemon, "thinking", mic_open=False, ptt=False)

    assert pressed["session"]["audio"]["input"]["turn_detection"] is None
    assert released["session"]["audio"]["input"]["turn_detection"]["type"] == "server_vad"


@pytest.mark.parametrize("taps", [20, pytest.param(200, marks=pytest.mark.long)])
async def test_taps_whose_edges_are_processes_of_their_own_leave_nothing_open(
    card: VirtualSoundCard, taps: int
) -> None:
    async with conversation(card, turns={"detection": "manual"}) as (daemon, wire):
        await ctl(daemon, "mute")
        held = random.Random(taps)
        opened = 0
        for _ in range(taps):
            press = await edge(daemon, "press")
            await asyncio.sleep(held.uniform(0.005, 0.1))
            release = await edge(daemon, "release")
            assert [await press.wait(), await release.wait()] == [0, 0]
            status = await asyncio.to_thread(daemon.status)
            opened += status["ptt"] or status["mic_open"]
        assert opened == 0
        await wire.expect("input_audio_buffer.clear")


async def edge(daemon: Daemon, name: str) -> asyncio.subprocess.Process:
    """Move the talk key, and do not wait for it."""
    return await asyncio.create_subprocess_exec(
        *daemon.ctl_command("ptt", name),
        env=daemon.environment,
        stdout=asyncio.subprocess.DEVNULL,
    )


async def test_events_begin_with_the_state_and_tell_every_change(card: VirtualSoundCard) -> None:
    async with conversation(card) as (daemon, wire):
        listening = await asyncio.create_subprocess_exec(
            *daemon.ctl_command("events"), env=daemon.environment, stdout=asyncio.subprocess.PIPE
        )
        assert listening.stdout is not None
        first = json.loads(await listening.stdout.readline())
        await wire.turn_ended()
        await wire.reply("resp_1", [Piece("item_1", noise(10_000))])
        await state(daemon, "speaking")
        await wire.speech_started("user_2")
        seen: list[tuple[str, str | None]] = []
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            while "interruption" not in dict(seen):
                notice = json.loads(await listening.stdout.readline())
                seen.append((notice["event"], notice.get("state")))
        listening.terminate()
        await listening.wait()

    assert (first["v"], first["event"], first["state"]) == (1, "state", "listening")
    assert seen.index(("state", "thinking")) < seen.index(("state", "speaking"))


async def test_a_bar_follows_a_daemon_that_is_killed_and_started_again(
    card: VirtualSoundCard,
) -> None:
    daemon = Daemon(card.environment(), configuration("http://127.0.0.1:9/v1"))
    bar = await asyncio.create_subprocess_exec(
        *daemon.ctl_command("status", "--follow", "--format", "polybar"),
        env=daemon.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert bar.stdout is not None
    async with asyncio.timeout(3 * ANSWERS_WITHIN_S):
        assert await bar.stdout.readline() == b"stopped\n"
        for number in (signal.SIGKILL, signal.SIGTERM):
            await asyncio.to_thread(daemon.start)
            assert await bar.stdout.readline() == b"idle\n"
            await asyncio.to_thread(daemon.stop, number)
            assert await bar.stdout.readline() == b"stopped\n"
    bar.terminate()
    await bar.wait()


async def test_the_levels_are_measured_for_who_watches_them(
    card: VirtualSoundCard, tmp_path: Path
) -> None:
    path = tmp_path / "user.wav"
    write_wav(path, np.frombuffer(noise(1000), "<i2"), 24_000)
    async with conversation(card) as (daemon, wire):
        context = zmq.asyncio.Context()
        watching = context.socket(zmq.SUB)
        watching.setsockopt(zmq.SUBSCRIBE, LEVELS)
        watching.connect(f"ipc://{daemon.directory / 'run' / 'voiced' / EVENTS_SOCKET}")
        spoken = asyncio.create_task(speak(card, path))
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            while True:
                levels = decode_levels(await watching.recv())
                if levels["microphone"] and levels["microphone"]["rms_dbfs"] > -40.0:
                    break
            await spoken
            await wire.turn_ended()
            await wire.reply("resp_1", [Piece("item_1", noise(1000))])
            while not levels["loudspeaker"] or levels["loudspeaker"]["rms_dbfs"] < -40.0:
                levels = decode_levels(await watching.recv())
        context.destroy(linger=0)


async def test_what_was_said_is_remembered_and_written_where_the_user_wants_it(
    card: VirtualSoundCard,
) -> None:
    file = card.base / "talks.txt"
    async with conversation(card, transcript={"file": str(file)}) as (daemon, wire):
        await wire.turn_ended("user_1")
        done = {"type": "response.output_audio_transcript.done", "response_id": "resp_1"}
        await wire.created("resp_1")
        await wire.item_added("resp_1", Piece("item_1", b""))
        await wire.send(done | {"item_id": "item_1", "transcript": "Marked reply."})
        heard = {"type": "conversation.item.input_audio_transcription.completed"}
        await wire.send(heard | {"item_id": "user_1", "transcript": "Marked question."})
        await asyncio.to_thread(daemon.until, "transcript", role="user", final=True)
        await wire.delta("resp_1", "item_1", noise(20_000))
        await state(daemon, "speaking")
        await wire.speech_started("user_2")
        await asyncio.to_thread(daemon.until, "transcript", cut=True)
        printed = await ctl(daemon, "transcript")
        lines = [
            json.loads(line) for line in (await ctl(daemon, "transcript", "--json")).split("\n")[:2]
        ]
        status = json.dumps(await asyncio.to_thread(daemon.status))
        log = daemon.log

    assert [line["text"] for line in lines] == ["Marked question.", "Marked reply."]
    assert lines[1]["cut"]
    assert lines[1]["heard_ms"] is not None
    assert printed.startswith("you: Marked question.\nassistant: Marked reply. … (")
    written = [line[20:] for line in file.read_text().splitlines()]
    assert written[:2] == ["assistant: Marked reply.", "you: Marked question."]
    assert written[2].startswith("assistant: … (")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Marked" not in status
    assert "Marked" not in log


async def test_a_lost_connection_is_reported_and_retried(card: VirtualSoundCard) -> None:
    async with ScriptedProvider() as provider:
        daemon = Daemon(card.environment(), configuration(provider.base_url))
        await asyncio.to_thread(daemon.start)
        try:
            await ctl(daemon, "start")
            wire = await provider.wire()
            await wire.socket.close(1001, "Your session hit the maximum duration of 60 minutes.")
            await asyncio.to_thread(daemon.until, "session", what="lost")
            await provider.wire(1)
            await asyncio.to_thread(daemon.settle, "listening")
            report = await asyncio.to_thread(daemon.status)
        finally:
            await asyncio.to_thread(daemon.stop)

    assert report["session"]["reconnects"] == 1
    assert report["error"] is None
    assert "closed with 1001" in daemon.log


async def test_nonsense_from_the_server_is_dropped_and_the_talk_goes_on(
    card: VirtualSoundCard,
) -> None:
    async with conversation(card) as (daemon, wire):
        bad = {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i"}
        for frame in (b"\x00\xff", "{", "[]", '{"type": 9}', json.dumps(bad | {"delta": "%%"})):
            await wire.socket.send(frame)
        await wire.turn_ended()
        await wire.reply("resp_1", [Piece("item_1", noise(300))])
        await state(daemon, "speaking")
        log = daemon.log

    assert log.count("dropped something unreadable from the server") == 5
    assert "Invalid base64" in log


# --- start and stop ------------------------------------------------------------------------


async def test_a_toggle_starts_and_stops_and_the_devices_follow(card: VirtualSoundCard) -> None:
    async with ScriptedProvider() as provider:
        daemon = Daemon(card.environment(), configuration(provider.base_url))
        await asyncio.to_thread(daemon.start)
        assert await ctl(daemon, "toggle") in ("connecting\n", "listening\n")
        wire = await provider.wire()
        await ctl(daemon, "wait", "--for", "listening", "--timeout", "20")
        assert await ctl(daemon, "toggle") == "idle\n"
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            await wire.closed.wait()
        assert await ctl(daemon, "is", "running") == ""
        await ctl(daemon, "is", "listening", expect=1)
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            while await asyncio.to_thread(card.pactl, "list", "short", "source-outputs"):
                continue  # a device is let go of on a thread of its own, a moment later
        await asyncio.to_thread(daemon.stop)


async def test_autostart_starts(card: VirtualSoundCard) -> None:
    async with ScriptedProvider() as provider:
        config = configuration(provider.base_url, session={"autostart": True})
        daemon = Daemon(card.environment(), config)
        await asyncio.to_thread(daemon.start)
        await provider.wire()
        await asyncio.to_thread(daemon.stop)


async def test_sigterm_in_the_middle_of_a_reply_ends_everything_at_once(
    card: VirtualSoundCard,
) -> None:
    """The reply is longer than anybody waits for a daemon to stop."""
    async with conversation(card) as (daemon, wire):
        await wire.turn_ended()
        await wire.reply("resp_1", [Piece("item_1", noise(2000 * int(STOP_WITHIN_S)))])
        await state(daemon, "speaking")
        status = await asyncio.to_thread(daemon.stop)

    assert status == 0
    left = os.listdir(daemon.directory / "run" / "voiced")  # noqa: PTH208 - a short list
    assert left == ["lock"]


def test_a_second_daemon_is_kept_out_and_the_first_goes_on(card: VirtualSoundCard) -> None:
    with Daemon(card.environment(), configuration("http://127.0.0.1:9/v1")) as daemon:
        second = subprocess.run(
            [sys.executable, "-m", "voiced", "--config", str(daemon.config_path)],
            env=daemon.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode == 75
        assert f"voiced is already running (process {daemon.pid})" in second.stderr
        assert second.stderr.count("\n") == 1
        assert daemon.status()["state"] == "idle"


def test_a_daemon_that_was_killed_leaves_nothing_in_the_way(card: VirtualSoundCard) -> None:
    daemon = Daemon(card.environment(), configuration("http://127.0.0.1:9/v1"))
    daemon.start()
    assert daemon.stop(signal.SIGKILL) == -signal.SIGKILL
    assert (daemon.directory / "run" / "voiced" / "control.sock").exists()
    assert "voiced is not running" in daemon.ctl("start", check=False).stderr

    with daemon:
        assert daemon.status()["state"] == "idle"


def test_the_runtime_directory_and_its_sockets_are_private(card: VirtualSoundCard) -> None:
    with Daemon(card.environment(), configuration("http://127.0.0.1:9/v1")) as daemon:
        place = daemon.directory / "run" / "voiced"
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()}

        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert set(modes.values()) == {0o600}


# --- what can be wrong ---------------------------------------------------------------------


def run_voiced(
    card: VirtualSoundCard, config: str, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run a daemon that is expected not to start."""
    path = card.base / "bad.toml"
    path.write_text(config)
    return subprocess.run(
        [sys.executable, "-m", "voiced", "--config", str(path)],
        env={**card.environment(), "PYTHONPATH": str(Path(__file__).parents[1]), **extra},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (
            '[audio]\ninptu = "x"\n',
            "bad.toml:2:1: unknown key `[audio] inptu`, did you mean `input`?",
        ),
        ("[audio\n", "bad.toml:1:7: not TOML:"),
        ('[turns]\nthreshold = "high"\n', "bad.toml:2:13: [turns] threshold must be a number"),
        (
            '[provider]\nkind = "compatible"\nurl = "ws://example.org/v1"\n',
            "is not encrypted: use https://",
        ),
        ('[provider]\nkind = "azure"\n', "[provider] url is missing"),
    ],
)
def test_a_bad_configuration_is_one_line_and_status_78(
    card: VirtualSoundCard, config: str, complaint: str
) -> None:
    done = run_voiced(card, config)

    assert done.returncode == 78
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_key_file_that_others_can_read_is_status_78(card: VirtualSoundCard) -> None:
    path = card.base / "config" / "voiced" / "openai.key"
    path.parent.mkdir()
    path.write_text("sk-secret")
    path.chmod(0o644)
    done = run_voiced(card, "")

    assert done.returncode == 78
    assert "chmod 600" in done.stderr
    assert "sk-secret" not in done.stderr


def test_a_path_that_is_taken_is_one_line(card: VirtualSoundCard) -> None:
    place = card.base / "run" / "voiced" / "control.sock"
    place.mkdir(parents=True)
    done = run_voiced(card, "")

    assert done.returncode == 78
    assert "cannot serve on" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_without_a_key_the_daemon_is_up_and_says_what_to_do(card: VirtualSoundCard) -> None:
    with Daemon(card.environment(), "") as daemon:
        done = daemon.ctl("start", check=False)
        daemon.ctl("wait", "--for", "error", "--timeout", "20")
        report = daemon.status()

        assert done.returncode == 6
        assert "OPENAI_API_KEY" in done.stderr
        assert report["state"] == "error"
        assert "OPENAI_API_KEY" in report["error"]


def test_a_microphone_that_does_not_exist_is_told_with_those_that_do(
    card: VirtualSoundCard,
) -> None:
    config = configuration("http://127.0.0.1:9/v1", audio={"input": "Jabra"})
    with Daemon(card.environment(), config) as daemon:
        done = daemon.ctl("start", check=False)

        assert done.returncode == 6
        assert 'no microphone named "Jabra"; there is: ' in done.stderr
        assert '"mic.monitor"' in done.stderr
        assert daemon.ctl("is", "running").returncode == 0
        assert "Jabra" in daemon.status()["error"]


async def test_a_reload_keeps_the_old_configuration_when_the_new_one_is_broken(
    card: VirtualSoundCard,
) -> None:
    async with conversation(card) as (daemon, wire):
        good = daemon.config_path.read_text()
        daemon.config_path.write_text(good + "[adio]\n")
        complaint = await ctl(daemon, "reload", expect=1)
        assert "unknown table `[adio]`, did you mean `[audio]`?" in complaint

        daemon.config_path.write_text(
            good.replace("[provider]", '[provider]\ninstructions = "Be brief."')
        )
        assert "[provider] take effect" in await ctl(daemon, "reload")
        update = (await wire.expect("session.update", after=1)).event
        assert update["session"]["instructions"] == "Be brief."

        assert "the flight recorder is off" in await ctl(daemon, "recorder", "save", expect=1)
        daemon.config_path.write_text(good + "[recorder]\nseconds = 5\n")
        await ctl(daemon, "reload")
        report = await asyncio.to_thread(daemon.status)
        assert report["audio"]["recorder_s"] == 5


# --- voicectl by itself --------------------------------------------------------------------


def test_voicectl_is_well_spoken_when_the_daemon_is_down(card: VirtualSoundCard) -> None:
    daemon = Daemon(card.environment(), "")
    for verb in ("start", "status", "mute", "say hello"):
        done = daemon.ctl(*verb.split(), check=False)

        assert done.returncode == 3, verb
        assert done.stderr == (
            "voicectl: voiced is not running; start it: voiced, or: voicectl service install\n"
        )
    assert json.loads(daemon.ctl("status", "--json", check=False).stdout)["state"] == "stopped"
    assert daemon.ctl("is", "running", check=False).returncode == 1
    assert daemon.ctl("wait", "--for", "stopped").returncode == 0
    assert daemon.ctl("wait", "--for", "idle", "--timeout", "0.2", check=False).returncode == 3
    assert daemon.ctl("version").stdout == "voicectl 0.1.0, voiced not running\n"


def test_voicectl_knows_right_from_wrong(card: VirtualSoundCard) -> None:
    with Daemon(card.environment(), configuration("http://127.0.0.1:9/v1")) as daemon:
        assert daemon.ctl("fly", check=False).returncode == 2
        assert daemon.ctl("mute", "maybe", check=False).returncode == 2
        assert daemon.ctl("say", "hello", check=False).returncode == 1
        assert (
            daemon.ctl("timeline", check=False).stderr == "voicectl: nobody has interrupted yet\n"
        )
        assert daemon.ctl("is", "speaking", check=False).returncode == 1
        assert (
            daemon.ctl("wait", "--for", "speaking", "--timeout", "0.2", check=False).returncode == 4
        )
        assert daemon.ctl("mute", "toggle").stdout == "idle\n"
        assert daemon.ctl("is", "muted").returncode == 0
        assert daemon.ctl("unmute").stdout == "idle\n"
        assert json.loads(daemon.ctl("version", "--json").stdout) == {
            "voicectl": "0.1.0",
            "voiced": "0.1.0",
        }
        assert "microphone:   closed" in daemon.ctl("status").stdout


def test_the_status_has_every_field_that_scripts_rely_on(card: VirtualSoundCard) -> None:
    with Daemon(card.environment(), configuration("http://127.0.0.1:9/v1")) as daemon:
        report = json.loads(daemon.ctl("status", "--json").stdout)

    assert set(report) >= {
        "v",
        "state",
        "muted",
        "mic_open",
        "online",
        "ptt",
        "voiced",
        "session",
        "audio",
        "last_interruption",
        "cost",
        "error",
    }
    assert set(report["session"]) >= {"provider", "model", "started", "age_s", "turns"}
    assert set(report["audio"]) >= {"input", "output", "underruns", "overruns", "restarts"}
    assert set(report["cost"]) == {"usd_today", "usd_session"}
