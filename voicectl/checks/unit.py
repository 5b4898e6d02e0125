"""Whether the user service is installed, as it should be, and can run: pure.

The findings come in the order of cause and effect: the first that fails keeps the others
from being well.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from voicectl.checks.finding import Finding, fail, ok, skip, warn
from voicectl.service_facts import Facts, State
from voicectl.unit_file import UNIT, UnitFile
from voiced import __version__

INSTALL: Final = "voicectl service install"
LOGS: Final = "voicectl logs"
RELOAD: Final = "systemctl --user daemon-reload"
SECRET: Final = "voicectl secret set, or: voicectl secret rm"  # noqa: S105 - commands
MOUNTS: Final = ("PrivateUsers", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices")
"""Settings of the sandbox that need a user namespace."""
OFF: Final = ("", "no", "false", "off", "0", "disconnected")
FILTER: Final = "SystemCallFilter"
LOOSE: Final = (
    "its sandbox cannot be built, user namespaces may be forbidden",
    f"{INSTALL} --no-user-namespaces",
)
MEANINGS: Final[Mapping[int, tuple[str, str]]] = {
    75: ("another voiced was running already", "stop that one, then: voicectl service start"),
    78: ("the configuration or the key cannot be used", f"{LOGS}; voicectl config check"),
    203: ("its program cannot be run", INSTALL),
    217: LOOSE,
    218: LOOSE,
    226: LOOSE,
    243: ("a secret that it wants is missing", SECRET),
}
"""Exit status of the service -> what it means, and what to do."""


def judge(facts: Facts) -> list[Finding]:
    """Return what is to be said of the service."""
    unit, state = facts.in_use, facts.state
    if (state and state.load == "masked") or (facts.copies and facts.copies[0].is_masked):
        return [fail("unit.installed", "the service is masked", f"systemctl --user unmask {UNIT}")]
    if unit is None:
        return [warn("unit.installed", "there is no service; voiced runs by hand only", INSTALL)]
    if unit.complaint:
        told = f"cannot read {unit.path}: {unit.complaint}"
        return [fail("unit.installed", told, f"mend or remove {unit.path}")]
    found = [_installed(unit, state), _shadowed(unit, facts), _version(unit)]
    found += [_program(unit, facts), *_credential(facts), _sandbox(unit, facts)]
    return [*found, *_state(state)]


def wrong(found: list[Finding]) -> list[Finding]:
    """Return those that something is to be done about."""
    return [each for each in found if each.remedy]


def _installed(unit: UnitFile, state: State | None) -> Finding:
    if state is None:
        return ok("unit.installed", f"{unit.path} (no service manager answers)")
    if state.load == "not-found" or state.needs_reload:
        told = f"the service manager has not read {unit.path} as it is now"
        return warn("unit.installed", told, RELOAD)
    if state.load != "loaded":
        told = f"systemd cannot use {unit.path}: {state.load_error or state.load}"
        return fail("unit.installed", told, f"systemd-analyze --user verify {UNIT}")
    return ok("unit.installed", f"{unit.path} ({state.enabled or 'static'})")


def _shadowed(unit: UnitFile, facts: Facts) -> Finding:
    hidden = next((each for each in facts.copies if each.path != unit.path), None)
    if hidden is None:
        return ok("unit.shadowed", "there is one unit")
    is_ours = facts.ours is not None and unit.path == facts.ours.path
    remedy = "voicectl service uninstall" if is_ours else f"rm {unit.path} && {RELOAD}"
    told = f"{unit.path} hides {hidden.path}"
    if unit.text == hidden.text:
        return warn("unit.shadowed", f"{told}, which is the same", remedy)
    return fail("unit.shadowed", f"{told}, which is another one", remedy)


def _version(unit: UnitFile) -> Finding:
    by = unit.generated_by
    if by is None:
        return skip("unit.version", "the unit was not written by voicectl")
    if by != __version__:
        told = f"{unit.path} was made by voiced {by}, and this is {__version__}"
        return warn("unit.version", told, INSTALL)
    return ok("unit.version", by)


def _program(unit: UnitFile, facts: Facts) -> Finding:
    program, ours = facts.program, facts.programs
    again = INSTALL if unit.generated_by else f"mend {unit.path}"
    if program is None:
        return fail("unit.execstart", f"{unit.path} starts nothing", again)
    if program.fault:
        remedy = f"install voiced again, then: {again}" if program.lost_interpreter else again
        return fail("unit.execstart", f"{program.path} {program.fault}", remedy)
    starts = f"{unit.path} starts {program.path}"
    if not program.is_ours:
        told = f"{starts}, which is of another installation than this voicectl"
        return warn("unit.execstart", told, f"use that one's voicectl, or: {INSTALL}")
    if unit.generated_by and ours is not None and program.path != ours.voiced:
        told = f"{starts}; {ours.voiced} is the same now and outlives an upgrade"
        return warn("unit.execstart", told, INSTALL)
    return ok("unit.execstart", program.path)


def _credential(facts: Facts) -> Iterator[Finding]:
    """Tell of a secret that is asked for and is not there: the service cannot start then."""
    if facts.lost:
        told = f"the service is to get a secret from {facts.lost[0]}, which is not there"
        yield fail("unit.credential", f"{told}: it cannot start", SECRET)


def _sandbox(unit: UnitFile, facts: Facts) -> Finding:
    mounts = [name for name in MOUNTS if unit.last(name).casefold() not in OFF]
    if not mounts and FILTER not in unit.settings:
        return warn("unit.sandbox", "the unit has no sandbox", INSTALL)
    if not mounts:
        return ok("unit.sandbox", "only calls are filtered; nothing needs a user namespace")
    if facts.state is not None and facts.state.active == "active":
        return ok("unit.sandbox", "in force")
    if facts.forbidden:
        told = f"{facts.forbidden}: the sandbox of the unit may keep it from starting"
        return warn("unit.sandbox", told, f"{INSTALL} --no-user-namespaces")
    return ok("unit.sandbox", "user namespaces are allowed")


def _state(state: State | None) -> Iterator[Finding]:
    if state is None or not state.active:
        return
    if state.active != "failed" and (
        state.active != "activating" or state.result in ("", "success")
    ):
        yield ok("unit.state", state.active)
        return
    fails = (
        "the service failed" if state.active == "failed" else "the service fails again and again"
    )
    status = f"status {state.exit_status}"
    if state.exit_status in MEANINGS:
        meaning, remedy = MEANINGS[state.exit_status]
        yield fail("unit.state", f"{fails}: {meaning} ({status})", remedy)
    else:
        is_known = state.result == "exit-code" and state.exit_status
        plain = status if is_known else state.result
        yield fail("unit.state", f"{fails}: {plain}", LOGS)
