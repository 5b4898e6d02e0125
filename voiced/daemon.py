"""The composition root: builds the parts, runs them, stops them in reverse order.

Start: lock, control socket, sound, provider, runner; ready when control answers.
Stop: silence and hang up, the sound, the built-in server, control, the lock.

The control sockets outlive us when we are restarted or crash: the service manager keeps
them, and what is asked meanwhile waits for the next process.  Only who stops us for good
(SIGTERM, SIGINT) wants them gone; a restart is another signal (RestartKillSignal= of the
unit).
"""

import asyncio
import logging
import os
import random
import resource
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from voiced import __version__, config, log
from voiced.audio.capture import Microphone
from voiced.audio.ear import Ear
from voiced.audio.echo import make_canceller
from voiced.audio.front_end import FrontEnd
from voiced.audio.playback import Speaker
from voiced.audio.portaudio import PortAudio
from voiced.audio.recorder import Recorder
from voiced.audio.reference import Reference
from voiced.audio.surroundings import Surroundings
from voiced.audio.trace import Trace
from voiced.audio.vad import make_second_stage
from voiced.control.directory import InstanceLock, prepare, runtime_directory
from voiced.control.listeners import Listener, adopt, listen
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET, VERSION
from voiced.control.server import ControlServer
from voiced.conversation import Conversation
from voiced.conversation import events as ev
from voiced.desktop.shell import Desktop
from voiced.errors import ConfigError
from voiced.interruptions import Interruptions
from voiced.levels import Levels
from voiced.realtime.builtin import BuiltinServer
from voiced.realtime.client import RealtimeClient
from voiced.recording import Recording, tidy
from voiced.runner import Runner, Shells
from voiced.service import manager, store
from voiced.service.credentials import find_key
from voiced.service.watchdog import Watchdog, allowed_s
from voiced.settings import Settings
from voiced.words import Words, place_of

logger = logging.getLogger(__name__)

LOCAL_SOCKET: Final = "local.sock"
CLOSE_WITHIN_S: Final = 0.5
MEET_WITHIN_S: Final = 2.0
MOST_DESCRIPTORS: Final = 65_536
RESTART: Final = signal.SIGUSR2
"""Ends us like SIGTERM, but somebody takes our place: the sockets stay."""
BROKEN_LATENCY: Final = "PULSE_LATENCY_MSEC"
"""Values of 20 and less can stop the output for good."""

NEXT_START: Final = ("provider", "audio", "local")
"""Tables of which something takes effect only with the next conversation."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things are."""

    config: Path | None
    """The file given on the command line; None means the user's own."""
    runtime: Path


def check(settings: Settings) -> None:
    """Check what can be checked without connecting.

    Raises:
        ConfigError: The settings cannot work.
    """
    if settings.provider.kind != "local":
        find_key(os.environ, config.config_directory(os.environ))
    place_of(settings.transcript.file)


async def run(settings: Settings, config_path: Path | None) -> None:
    """Be the daemon until told to stop.

    Raises:
        ConfigError: Something the user has to change.
        LockError: Another daemon of this user is running.
    """
    os.umask(0o077)
    _allow_descriptors()
    os.environ.pop(BROKEN_LATENCY, None)
    paths = Paths(config_path, runtime_directory(os.environ))
    prepare(paths.runtime, (CONTROL_SOCKET, EVENTS_SOCKET, LOCAL_SOCKET))
    lock = InstanceLock(paths.runtime)
    lock.acquire()
    try:
        tidy(paths.runtime)
        sockets = _take_sockets(paths.runtime)
        async with asyncio.TaskGroup() as tasks:
            await _Daemon(settings, paths, sockets, tasks).run()
    except ExceptionGroup as group:
        faults = group.subgroup(ConfigError)
        raise (faults.exceptions[0] if faults else group) from None
    finally:
        lock.release()


def _allow_descriptors() -> None:
    """Ask for as many as may be had: libzmq ends the process when it runs out of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@dataclass(frozen=True, slots=True)
class Sockets:
    """What voicectl talks to."""

    requests: Listener
    events: Listener

    def __iter__(self) -> Iterator[Listener]:
        yield self.requests
        yield self.events


def _take_sockets(directory: Path) -> Sockets:
    """Take the sockets that were kept for us, or make them and have them kept.

    Raises:
        ConfigError: One cannot be made.
    """
    kept = store.kept()
    paths = [directory / name for name in (CONTROL_SOCKET, EVENTS_SOCKET)]
    adopted = [adopt(path, kept) for path in paths]
    used = {each.socket.fileno() for each in adopted if each is not None}
    for descriptor, name in kept.items():
        if descriptor not in used:
            store.forget(name)
            os.close(descriptor)
    taken = [each or listen(path) for each, path in zip(adopted, paths, strict=True)]
    for each in taken:
        # What is kept already is not kept twice.
        store.keep(each.name, each.socket.fileno())
    return Sockets(*taken)


class _Daemon:
    """The parts, while they run."""

    def __init__(
        self, settings: Settings, paths: Paths, sockets: Sockets, tasks: asyncio.TaskGroup
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._sockets = sockets
        self._tasks = tasks
        self._stop = asyncio.Event()
        self._is_final = False
        self._conversation = Conversation(settings, random.random)
        self._runner = Runner(self._conversation)
        self._watchdog = Watchdog(allowed_s(os.environ), {"the runner": self._runner.pulse})
        emit = self._runner.emit
        self._levels = Levels()
        self._recorder = Recorder(settings.recorder.seconds)
        self._trace = Trace(self._recorder)
        self._interruptions = Interruptions(
            self._trace, self._recorder, settings.interruption.speech_probability
        )
        recording = Recording(self._recorder, paths.runtime)
        self._control = ControlServer(
            emit,
            {
                "status": self._status,
                "version": self._version,
                "reload": self._reload,
                "transcript": self._transcript,
                "stats": self._stats,
            },
            self._runner.tell_state,
            self._levels.want,
            {"timeline": self._interruptions.timeline, "recorder": recording.answer},
        )
        self._words = Words(self._control.publish, self._runner.tell_state)
        self._words.path = place_of(settings.transcript.file)
        self._portaudio = PortAudio()
        reference = Reference()
        self._speaker = Speaker(
            self._portaudio, settings.audio, emit, self._levels.loudspeaker, reference=reference
        )
        self._surroundings = Surroundings(
            FrontEnd(
                reference,
                make_canceller(),
                Ear(settings.interruption, make_second_stage()),
                self._trace,
                lambda: self._speaker.figures().underruns,
            ),
            settings,
            self._latency_ms,
        )
        self._microphone = Microphone(
            self._portaudio, settings.audio, emit, self._levels.microphone, self._surroundings
        )
        self._builtin = BuiltinServer(paths.runtime / LOCAL_SOCKET, settings.local, tasks)
        self._client = RealtimeClient(settings, self._key, self._builtin, tasks, emit)
        self._desktop = Desktop(paths.runtime, settings.desktop, emit)
        self._runner.connect(
            Shells(
                self._speaker,
                self._microphone,
                self._client,
                self._desktop,
                self._control,
                self._words,
                self._interruptions,
                manager.state,
            )
        )

    async def run(self) -> None:
        """Run until told to stop, then stop everything."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, RESTART):
            loop.add_signal_handler(number, self._told_to_stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload_quietly)
        try:
            self._control.bind(self._sockets.requests, self._sockets.events)
            running = [
                self._tasks.create_task(self._runner.run(), name="runner"),
                self._tasks.create_task(self._runner.watch(), name="sound card watch"),
                self._tasks.create_task(self._control.run(), name="control"),
                self._tasks.create_task(
                    self._levels.run(self._control.publish_levels), name="levels"
                ),
                self._tasks.create_task(self._watchdog.run(), name="watchdog"),
            ]
            desktop = self._tasks.create_task(self._desktop.run(), name="desktop")
            manager.ready()
            logger.info("voiced %s is ready", __version__, extra={"VOICED_EVENT": "started"})
            running.append(self._tasks.create_task(self._autostart(), name="autostart"))
            await self._stop.wait()
            manager.stopping()
            for task in running:
                task.cancel()
        finally:
            await self._shut_down()
        desktop.cancel()

    async def _autostart(self) -> None:
        if self._settings.session.autostart:
            # Not on a locked screen, not even for a moment.
            await self._desktop.met(MEET_WITHIN_S)
            self._runner.emit(ev.Start())

    async def _shut_down(self) -> None:
        self._runner.emit(ev.Stop())
        self._runner.turn()
        self._speaker.end()
        self._microphone.end()
        self._words.end()
        for device in (self._speaker, self._microphone):
            if not await asyncio.to_thread(device.join, CLOSE_WITHIN_S):
                logger.warning("the sound server does not let go of a device")
        if not await asyncio.to_thread(self._words.join, CLOSE_WITHIN_S):
            logger.warning("the disk does not take the end of the transcript")
        if not await self._desktop.finish(CLOSE_WITHIN_S):
            logger.warning("a player that was paused does not go on")
        await self._builtin.stop()
        self._control.close()
        for socket in self._sockets:
            if self._is_final:
                socket.remove()
            socket.close()
        logger.info("voiced has stopped", extra={"VOICED_EVENT": "stopped"})

    def _told_to_stop(self, number: int) -> None:
        self._is_final = number != RESTART
        self._stop.set()

    def _latency_ms(self) -> int | None:
        """Tell how late the loudspeaker is; None while it has not played."""
        delay_s = self._speaker.figures().delay_s
        return None if delay_s is None else round(delay_s * 1000)

    def _key(self) -> str | None:
        return find_key(os.environ, config.config_directory(os.environ))

    def _status(self) -> dict[str, Any]:
        return {**self._runner.status()}

    def _version(self) -> dict[str, Any]:
        path = self._paths.config or config.config_directory(os.environ) / config.FILE
        return {"voiced": __version__, "protocol": VERSION, "config": str(path.absolute())}

    def _transcript(self) -> dict[str, Any]:
        return self._words.report()

    def _stats(self) -> dict[str, Any]:
        return {**self._interruptions.stats()}

    def _reload(self) -> dict[str, Any]:
        """Read the configuration again; a broken one changes nothing.

        Raises:
            ConfigError: It cannot be used.
        """
        settings = config.load(self._paths.config, os.environ)
        check(settings)
        before, self._settings = self._settings, settings
        later = [name for name in NEXT_START if getattr(before, name) != getattr(settings, name)]
        log.set_level(settings.log.level)
        self._conversation.configure(settings)
        self._client.configure(settings)
        self._words.path = place_of(settings.transcript.file)
        self._recorder.resize(settings.recorder.seconds)
        self._interruptions.speech_probability = settings.interruption.speech_probability
        self._speaker.configure(settings.audio)
        self._microphone.configure(settings.audio)
        self._surroundings.configure(settings)
        self._desktop.configure(settings.desktop)
        logger.info("configuration read again", extra={"VOICED_EVENT": "reloaded"})
        return {"next_start": later}

    def _reload_quietly(self) -> None:
        try:
            self._reload()
        except ConfigError as error:
            logger.error("%s; the configuration in use stays", error)  # noqa: TRY400 - no traceback for a user's mistake
