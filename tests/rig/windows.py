"""Real window managers that nobody sees, and keys that go down and up in them.

Rules
1. Every one lives in the private directories of a virtual sound card: no display, socket
   or configuration of the machine is used.
2. Keys are those of a real keyboard with the usual layout, by their codes.
3. A window manager is ready when a command of its own configuration has run.
"""

import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from tests.rig.wayland import VirtualKeyboard

READY_WITHIN_S = 60.0
LOOK_AGAIN_S = 0.2
X_TOOLS = ("Xvfb", "i3", "xdotool", "xset")
SXHKD_TOOLS = ("Xvfb", "sxhkd", "xdotool", "xset")
SWAY_TOOLS = ("sway",)
PLASMA_TOOLS = ("Xvfb", "kglobalaccel5", "xdotool", "dbus-run-session")
FIRST_USER = "1000"
I3_HEAD = "# i3 config file (v4)\nfont pango:DejaVu Sans Mono 10\n"
HEADLESS = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1"}


class WindowError(Exception):
    """A window manager cannot be had here; the text says why."""


class Windows(Protocol):
    """A window manager that runs.

    Attributes:
        environment: Of the programs that appear in it.
    """

    environment: dict[str, str]

    def press(self, code: int) -> None:
        """Push a key down, by its code in X."""

    def release(self, code: int) -> None:
        """Let a key go."""

    def picture(self, path: Path) -> None:
        """Save what is on the screen."""


def missing(tools: Sequence[str]) -> list[str]:
    """Name the programs that this machine lacks."""
    absent = [tool for tool in tools if shutil.which(tool) is None]
    if "sway" in tools and not absent and os.getuid() == 0:
        done = subprocess.run([*namespace(), "true"], check=False, capture_output=True, timeout=60)
        if done.returncode != 0:
            absent.append("user namespaces, for root")
    return absent


class Screen:
    """A screen of the X server, with its keyboard."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def press(self, code: int) -> None:
        self.run("xdotool", "keydown", str(code))

    def release(self, code: int) -> None:
        self.run("xdotool", "keyup", str(code))

    def repeat(self, code: int, *, after_ms: int, per_second: int) -> None:
        """Have a key repeat while it is held, as keyboards do."""
        self.run("xset", "r", "rate", str(after_ms), str(per_second))
        self.run("xset", "r", str(code))

    def picture(self, path: Path) -> None:
        self.run("import", "-window", "root", f"PNG24:{path}")

    def run(self, *command: str) -> None:
        """Run a program on this screen to its end."""
        subprocess.run(command, env=self.environment, check=True, timeout=60)


class Sway:
    """A headless sway, with a keyboard of our own."""

    def __init__(self, environment: dict[str, str], keyboard: VirtualKeyboard) -> None:
        self.environment = environment
        self._keyboard = keyboard

    def press(self, code: int) -> None:
        self._keyboard.press(code)

    def release(self, code: int) -> None:
        self._keyboard.release(code)

    def picture(self, path: Path) -> None:
        subprocess.run(["grim", str(path)], env=self.environment, check=True, timeout=60)


@contextmanager
def i3(environment: Mapping[str, str], config: str) -> Iterator[Screen]:
    """Give i3 with a configuration, on a virtual screen."""
    with _screen(environment) as screen, _ready(screen.environment) as ready:
        path = Path(environment["HOME"]) / "i3.config"
        path.write_text(f"{I3_HEAD}exec --no-startup-id {ready}\n{config}")
        with _running(["i3", "-c", str(path)], screen.environment) as process:
            ready.wait(process)
            yield screen


@contextmanager
def sxhkd(environment: Mapping[str, str], config: str) -> Iterator[Screen]:
    """Give sxhkd with a configuration, on a virtual screen."""
    with _screen(environment) as screen, _ready(screen.environment) as ready:
        path = Path(environment["HOME"]) / "sxhkdrc"
        path.write_text(f"F12\n    {ready}\n\n{config}")
        with _running(["sxhkd", "-c", str(path)], screen.environment):
            # It says nothing when it has taken the keys.
            while not ready.has_run(LOOK_AGAIN_S):
                screen.run("xdotool", "key", "F12")
            yield screen


@contextmanager
def plasma(environment: Mapping[str, str]) -> Iterator[Screen]:
    """Give the part of KDE Plasma that takes the keys, on a virtual screen.

    It reads what is in HOME, and says nothing when it has.
    """
    with (
        _screen(environment) as screen,
        _running(["dbus-run-session", "--", "kglobalaccel5"], screen.environment),
    ):
        yield screen


@contextmanager
def sway(environment: Mapping[str, str], config: str) -> Iterator[Sway]:
    """Give a headless sway with a configuration."""
    home = Path(environment["HOME"])
    within = {
        name: value
        for name, value in environment.items()
        if name not in {"DISPLAY", "WAYLAND_DISPLAY", "SWAYSOCK", "I3SOCK"}
    }
    within |= HEADLESS
    with _ready(within) as ready, ExitStack() as stack:
        path = home / "sway.config"
        names = home / "sway.names"
        path.write_text(
            "xwayland disable\noutput HEADLESS-1 resolution 800x600\n"
            f'exec echo "$WAYLAND_DISPLAY $SWAYSOCK" > {names} && {ready}\n{config}'
        )
        command = [*sway_command(), "-c", str(path)]
        ready.wait(stack.enter_context(_running(command, within)))
        display, socket = names.read_text().split()
        within |= {"WAYLAND_DISPLAY": display, "SWAYSOCK": socket}
        keyboard = VirtualKeyboard(Path(within["XDG_RUNTIME_DIR"]) / display)
        yield Sway(within, stack.enter_context(keyboard))


def sway_command() -> list[str]:
    """Return how sway is started: it refuses root, which a namespace of one user hides."""
    return ["sway"] if os.getuid() != 0 else [*namespace(), "sway"]


def namespace() -> list[str]:
    """Return what comes before a command so that it is not root."""
    users = (f"--map-user={FIRST_USER}", f"--map-group={FIRST_USER}")
    return ["unshare", "--user", *users, "--"]


class _Ready:
    """A command that tells us when it runs; ``str`` gives it."""

    def __init__(self, path: Path, log: Path) -> None:
        os.mkfifo(path)
        self._path = path
        self._log = log
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def __str__(self) -> str:
        return f"sh -c ': > {self._path}'"

    def has_run(self, within_s: float) -> bool:
        """Wait for the command for a while, and tell whether it ran."""
        waiting = select.poll()
        waiting.register(self._end, select.POLLIN)
        return bool(waiting.poll(1000 * within_s))

    def wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait for the command.

        Raises:
            WindowError: What was to run it has ended, or takes longer than a busy machine.
        """
        until_s = time.monotonic() + READY_WITHIN_S
        while not self.has_run(LOOK_AGAIN_S):
            if process.poll() is not None or time.monotonic() > until_s:
                raise WindowError(f"no window manager came up:\n{self._log.read_text()}")

    def close(self) -> None:
        os.close(self._end)


@contextmanager
def _ready(environment: Mapping[str, str]) -> Iterator[_Ready]:
    home = Path(environment["HOME"])
    made = _Ready(home / "ready", home / "windows.log")
    try:
        yield made
    finally:
        made.close()


@contextmanager
def _screen(environment: Mapping[str, str]) -> Iterator[Screen]:
    """Give a virtual screen with a number of its own."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24"]
    command += ["-nolisten", "tcp"]
    with _running(command, environment, keep=(writing,)):
        os.close(writing)
        with os.fdopen(reading) as end:
            number = end.readline().strip()
        if not number:
            log = Path(environment["HOME"]) / "windows.log"
            raise WindowError(f"no virtual screen came up:\n{log.read_text()}")
        yield Screen({**environment, "DISPLAY": f":{number}"})


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], keep: tuple[int, ...] = ()
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program for as long as the block does."""
    with (Path(environment["HOME"]) / "windows.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            pass_fds=keep,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
