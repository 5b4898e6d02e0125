import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from tests.conversation.stage import MANUAL, SECOND, SERVER_VAD, half
from tests.fakes import (
    FakeDesktop,
    FakeInterruptions,
    FakeMicrophone,
    FakeProvider,
    FakePublic,
    FakeSpeaker,
    FakeWords,
)
from voiced.control.messages import Failure
from voiced.conversation import Conversation
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.status import Interruption
from voiced.realtime import client_messages as out
from voiced.runner import Runner, Shells
from voiced.settings import Desktop, Session, Settings


@dataclass
class House:
    """A runner with shells that remember."""

    settings: Settings = field(default_factory=lambda: Settings(session=Session(idle_hangup_s=0)))
    speaker: FakeSpeaker = field(default_factory=FakeSpeaker)
    microphone: FakeMicrophone = field(default_factory=FakeMicrophone)
    provider: FakeProvider = field(default_factory=FakeProvider)
    desktop: FakeDesktop = field(default_factory=FakeDesktop)
    public: FakePublic = field(default_factory=FakePublic)
    words: FakeWords = field(default_factory=FakeWords)
    interruptions: FakeInterruptions = field(default_factory=FakeInterruptions)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.core = Conversation(self.settings, half)
        self.runner = Runner(self.core)
        self.runner.connect(
            Shells(
                self.speaker,
                self.microphone,
                self.provider,
                self.desktop,
                self.public,
                self.words,
                self.interruptions,
                self.lines.append,
            )
        )

    def take(self, *events: ev.Event) -> None:
        """Hand over events and let the runner turn."""
        for event in events:
            self.runner.emit(event)
        self.runner.turn()

    def hear(self, *events: ev.ServerEvent) -> None:
        """Let the server say something in the session that is open."""
        for event in events:
            self.take(ev.Received(self.core.scene.link.number, event))


def listening(facts: ev.SessionReady = SERVER_VAD) -> House:
    """Return a house in which the user has the floor."""
    house = House()
    house.take(ev.Start(), se.MicrophoneOpened(), se.SpeakerOpened())
    house.hear(facts)
    return house


async def test_a_start_opens_everything() -> None:
    house = House()
    house.take(ev.Start())

    assert list(house.speaker.calls) == [("open",)]
    assert list(house.microphone.calls) == ["open"]
    assert list(house.provider.calls) == [("open", 1)]


async def test_a_reply_and_its_interruption_go_to_the_right_hands_in_order() -> None:
    house = listening()
    house.hear(
        ev.ResponseCreated("r"),
        ev.ItemAdded("r", "i", is_message=True),
        ev.AudioDelta("r", "i", 0, SECOND),
        ev.AudioDone("r", "i", 0),
        ev.SpeechStarted("u"),
    )
    house.take(se.PlaybackCut(1, (se.Heard("i", 0, 4800),), 0.0))

    assert house.speaker.calls[1:] == [("play", "i", 0, SECOND), ("finish", "i", 0), ("cut", 1)]
    assert house.provider.calls[-1] == out.Truncate("truncate_1", "i", 0, 200)
    (told,) = house.public.of("interruption")
    assert (told["source"], told["heard_ms"], told["item_id"]) == ("server", 200, "i")
    assert house.words.calls == [("cut", "i", 200, ())]


async def test_everything_the_conversation_says_to_the_server_is_sent() -> None:
    house = listening(MANUAL)
    house.take(ev.Say("hello"))
    house.hear(ev.ResponseCreated("r", "response_2"), ev.ItemAdded("r", "i", is_message=True))
    house.take(ev.TalkPress(), se.MicrophoneFrames(bytes(9600)), ev.TalkRelease())
    house.hear(ev.ResponseDone("r", "cancelled"))

    kinds = [type(call) for call in house.provider.calls[1:]]
    assert kinds == [
        out.CreateItem,
        out.CreateResponse,
        out.Cancel,
        out.Clear,
        *[out.Append] * 5,
        out.Commit,
        out.Delete,
    ]


async def test_the_server_is_told_who_finds_the_turns() -> None:
    house = listening()
    house.take(ev.TalkPress())

    assert ("detect turns", "detection_1", False) in house.provider.calls


async def test_a_stop_closes_everything() -> None:
    house = listening()
    house.take(ev.Stop())

    assert house.speaker.calls[-1] == ("close",)
    assert house.microphone.calls[-1] == "close"
    assert house.provider.calls[-1] == "close"
    assert house.words.calls == [("session_over",)]
    assert house.public.of("session")[-1]["what"] == "ended"


async def test_answers_go_to_those_who_asked() -> None:
    house = House()
    house.take(ev.Mute(wish=True, ask=7), ev.Say("hello", ask=8), ev.Mute(wish=False))

    assert house.public.answers == [
        (7, {"state": "idle"}, None),
        (8, None, Failure("refused", "no conversation is running", "voicectl start")),
    ]


async def test_people_outside_are_told_what_changes() -> None:
    house = listening()
    house.hear(
        ev.UserTranscript("u", "hello", is_final=True),
        ev.ServerError("server_error", "oops"),
        ev.ResponseCreated("r"),
        ev.ResponseDone("r", "completed", usage=ev.Usage(audio_out=1000)),
        ev.SessionLost("gone"),
    )

    assert [fields["state"] for fields in house.public.of("state")][:3] == [
        "connecting",
        "connecting",
        "listening",
    ]
    assert house.words.calls[0] == ("said", "user", "u", "hello", True)
    assert house.public.of("error") == [{"code": "server_error", "message": "oops"}]
    assert house.public.of("cost") == [{"usd_today": 0.064, "usd_session": 0.064}]
    assert [fields["what"] for fields in house.public.of("session")] == ["ready", "lost"]
    assert house.public.of("session")[1]["retry_in_s"] == 0.25
    assert house.lines[-1] == "connecting: gone"


async def test_the_status_puts_everything_together() -> None:
    house = listening()
    report = house.runner.status()

    assert report["state"] == "listening"
    assert report["mic_open"]
    assert report["session"]["provider"] == "openai"
    assert report["session"]["model"] == "gpt-realtime"
    assert report["session"]["age_s"] is not None
    assert report["audio"] == {
        "input": "quiet",
        "output": "loud",
        "underruns": 0,
        "overruns": 4,
        "starvations": 0,
        "restarts": 2,
        "unsent": 5,
        "echo": "",
        "echo_reason": "",
        "local_detection": False,
        "recorder_s": 30,
    }
    assert report["last_interruption"] is None
    assert House().runner.status()["session"]["started"] is None


async def test_the_last_interruption_stays_in_the_status() -> None:
    house = listening()
    house.core.scene.turns.last_interruption = Interruption("server", 3.2, 1000, "i", True)

    assert house.runner.status()["last_interruption"] == {
        "number": 0,
        "source": "server",
        "silent_ms": 3.2,
        "heard_ms": 1000,
        "item_id": "i",
        "confirmed": True,
        "sound_to_duck_ms": None,
        "sound_to_cut_ms": None,
        "sound_to_silent_ms": None,
    }


async def test_a_transcript_that_cannot_be_written_is_told_where_nothing_worse_is() -> None:
    house = listening()
    house.words.problem = "the disk is full"
    assert house.runner.status()["error"] == "the disk is full"

    house.core.scene.problems["offline"] = "gone"
    assert house.runner.status()["error"] == "gone"


async def test_an_interruption_that_was_none_cuts_no_words() -> None:
    house = House()
    house.runner.perform(fx.TellInterruption(Interruption("local", 1.0, 5, "i", False)))

    assert house.words.calls == []


async def test_what_becomes_of_the_loudspeaker_is_noted_with_the_interruption() -> None:
    house = House()
    interruption = Interruption("local", 1.0, 5, "i", False)
    for effect in (
        fx.DuckPlayback(-14.0),
        fx.HoldPlayback(1),
        fx.ResumePlayback(),
        fx.CutPlayback(1),
        fx.TellInterruption(interruption),
    ):
        house.runner.perform(effect)
    house.take(se.VoiceSuspected(1.0))

    assert house.interruptions.calls == [
        ("ducked", -14.0),
        ("silenced", True),
        ("resumed",),
        ("silenced", False),
        ("told", interruption),
    ]
    assert house.interruptions.events == [se.VoiceSuspected(1.0)]


FIGURES = Interruption("local", 4.0, 1840, "i", True, 7, 1.0, 160.0, 211.0, 215.0)
DOUBTED = Interruption("local", None, None, "i", False, 8, 1.0, 160.0)
HELD = Interruption("server", 4.2, None, "i", False, 9, 1.0)


@pytest.mark.parametrize(
    ("interruption", "line"),
    [
        (FIGURES, "interrupted (local): quieter after 160 ms, silent after 215 ms, heard 1840 ms"),
        (DOUBTED, "gave back (local): quieter after 160 ms"),
        (HELD, "gave back (server): silent after 4 ms"),
        (Interruption("local", None, None, "i", False), "gave back (local): as loud as before"),
    ],
)
async def test_an_interruption_is_one_line_of_the_log(
    interruption: Interruption, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    House().runner.perform(fx.TellInterruption(interruption))

    assert [record.getMessage() for record in caplog.records] == [line]


async def test_an_interruption_is_found_by_its_figures_in_the_journal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    House().runner.perform(fx.TellInterruption(DOUBTED))

    (record,) = caplog.records
    fields = {name: value for name, value in vars(record).items() if name.startswith("VOICED_")}
    assert fields == {
        "VOICED_EVENT": "interruption",
        "VOICED_STATE": "idle",
        "VOICED_SESSION": "0",
        "VOICED_NUMBER": "8",
        "VOICED_SOURCE": "local",
        "VOICED_ITEM_ID": "i",
        "VOICED_CONFIRMED": "false",
        "VOICED_SOUND_TO_DUCK_MS": "160.0",
    }


async def test_what_is_done_about_the_echo_is_told_with_the_state() -> None:
    house = House()
    house.take(
        se.HearingChanged("cancelled", can_detect=True),
        se.HearingChanged("cancelled", can_detect=False),
        se.HearingChanged("half_duplex", can_detect=False, reason="no canceller"),
    )

    told = [
        (state["audio"]["echo"], state["audio"]["echo_reason"])
        for state in house.public.of("state")
    ]
    assert told == [("cancelled", ""), ("half_duplex", "no canceller")]


async def test_detection_that_comes_and_goes_is_in_the_status_and_told_nobody() -> None:
    house = House()
    house.take(se.HearingChanged("cancelled", can_detect=True))
    assert house.runner.status()["audio"]["local_detection"]
    watching = asyncio.create_task(house.runner.watch())
    await house.speaker.calls.until(lambda calls: calls.count(("check",)) > 1)
    before = len(house.public.of("audio"))

    house.take(se.HearingChanged("cancelled", can_detect=False))
    checks = house.speaker.calls.count(("check",))
    await house.speaker.calls.until(lambda calls: calls.count(("check",)) > checks + 1)
    watching.cancel()

    assert len(house.public.of("audio")) == before
    assert not house.runner.status()["audio"]["local_detection"]


async def test_what_is_due_by_the_clock_is_done_without_an_event() -> None:
    house = listening()
    house.hear(ev.SessionLost("gone"))
    running = asyncio.create_task(house.runner.run())
    await house.provider.calls.until(lambda calls: calls[-1] == ("open", 3))
    running.cancel()


async def test_an_event_wakes_the_runner() -> None:
    house = House()
    running = asyncio.create_task(house.runner.run())
    await asyncio.sleep(0)
    house.runner.emit(ev.Start())
    await house.provider.calls.until(bool)
    running.cancel()


async def test_the_sound_card_is_looked_after_and_its_figures_told_once() -> None:
    house = House()
    watching = asyncio.create_task(house.runner.watch())
    await house.microphone.calls.until(lambda calls: calls.count("check") == 2)
    told = len(house.public.of("audio"))
    house.speaker.underruns = 9
    await house.public.notices.until(lambda _: len(house.public.of("audio")) > told)
    watching.cancel()

    assert told == 1
    assert house.public.of("audio")[-1]["underruns"] == 9
    assert ("check",) in house.speaker.calls


async def test_the_log_tells_the_story_and_no_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        house = listening()
        house.hear(
            ev.UserTranscript("u", "marked words", is_final=True),
            ev.ReplyTranscript("r", "i", "marked words", is_final=True),
        )
        house.take(ev.Say("marked words"), se.MicrophoneFrames(b"marked words"))

    assert "marked words" not in caplog.text
    assert "< #1 UserTranscript(item_id='u', is_final=True)" in caplog.text
    assert "> OpenSession(session=1)" in caplog.text
    assert "= listening" in caplog.text


async def test_a_muted_reply_says_so_to_the_service_manager() -> None:
    house = listening()
    house.hear(
        ev.ResponseCreated("r"),
        ev.ItemAdded("r", "i", is_message=True),
        ev.AudioDelta("r", "i", 0, SECOND),
    )
    house.take(ev.Mute(wish=True))

    assert house.lines[-1] == "speaking, muted"


def test_every_effect_has_a_hand() -> None:
    """Mypy says the same at ``assert_never``; here every effect is carried out once."""
    examples: list[fx.Effect] = [
        fx.OpenMicrophone(),
        fx.CloseMicrophone(),
        fx.OpenSpeaker(),
        fx.CloseSpeaker(),
        fx.Play("i", 0, b""),
        fx.FinishPlay("i", 0),
        fx.CutPlayback(1),
        fx.DuckPlayback(-14.0),
        fx.HoldPlayback(1),
        fx.ResumePlayback(),
        fx.OpenSession(1),
        fx.CloseSession(),
        fx.SendAudio(b""),
        fx.DetectTurns("e", wanted=True),
        fx.ClearInput("e"),
        fx.CommitInput("e"),
        fx.SendText("e", "t"),
        fx.CreateResponse("e"),
        fx.CancelResponse("e", "r"),
        fx.TruncateItem("e", "i", 0, 1),
        fx.DeleteItem("e", "i"),
        fx.Answer(1),
        fx.TellInterruption(Interruption("server", 1.0, 1, "i", True)),
        fx.TellTranscript("user", "i", "t", True),
        fx.TellSession("ended", "idle"),
        fx.TellCost(0.0, 0.0),
        fx.TellError("c", "m"),
        fx.AllowSleep(),
        fx.PausePlayers(),
        fx.ResumePlayers(),
    ]

    async def carry_out() -> None:
        house = House()
        for effect in [*examples, fx.TellState(house.core.status())]:
            house.runner.perform(effect)

    asyncio.run(carry_out())
    assert {type(each) for each in examples} | {fx.TellState} == set(fx.Effect.__args__)


async def test_what_has_arrived_counts_before_what_is_due() -> None:
    """The loop was busy for 0.6 s: the microphone's samples wait, and no silence is due."""
    house = listening()
    house.core.scene.input.origin_s = house.core.scene.input.fresh_s = (
        asyncio.get_running_loop().time() - 0.6
    )

    house.take(*[se.MicrophoneFrames(SECOND[:960].replace(b"\0", b"\1"))] * 30)

    sent = [m.audio for m in house.provider.calls if isinstance(m, out.Append)]
    assert len(sent) == 30
    assert not any(b"\0" in audio for audio in sent)


async def test_the_machine_sleeps_when_the_microphone_is_closed_and_the_line_says_why() -> None:
    house = listening()
    house.take(ev.Away("suspended"))

    assert house.microphone.calls[-1] == "close"
    assert house.desktop.calls == ["allow sleep"]
    assert house.lines[-1] == "idle, paused: suspended"
    assert house.runner.status()["paused"] == "suspended"


async def test_players_pause_and_go_on() -> None:
    house = House(Settings(desktop=Desktop(pause_players=True)))
    house.take(ev.Start(), se.MicrophoneOpened())
    house.hear(SERVER_VAD)
    house.take(ev.Stop())

    assert house.desktop.calls == ["pause players", "resume players"]
