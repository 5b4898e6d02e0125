"""The verbs that have the service manager run voiced: install, start, status and the like."""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from voicectl.outcome import DONE, FALSE, NOT_RUNNING, CommandError, complain
from voicectl.verbs.tree import Verbs

if TYPE_CHECKING:
    from voicectl.service_facts import Facts, State

NOW: Final = "voicectl service enable --now"


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    group = verbs.group(
        "service",
        "have the service manager run voiced",
        examples=(
            "voicectl service install        write ~/.local/share/systemd/user/voiced.service",
            f"{NOW}   run it now and at every login",
            "voicectl service restart        what is asked meanwhile is answered afterwards",
            "voicectl service status",
        ),
    )
    made = group.verb("install", "make voiced a service of this user", install)
    made.add_argument(
        "--user-namespaces",
        action=argparse.BooleanOptionalAction,
        help="whether the sandbox may use them; some systems forbid it (default: as before)",
    )
    group.verb("uninstall", "stop the service and remove what install wrote", uninstall)
    enabled = group.verb("enable", "run voiced at every login", control)
    enabled.add_argument("--now", action="store_true", help="and start it now")
    disabled = group.verb("disable", "do not run voiced at every login", control)
    disabled.add_argument("--now", action="store_true", help="and stop it now")
    group.verb("start", "start voiced", control)
    group.verb("stop", "stop voiced", control)
    group.verb("restart", "stop voiced and start it", control)
    group.verb("status", "is it installed, does it run, is anything wrong", status, json=True)


def install(arguments: argparse.Namespace) -> int:
    """Write the service, tell the service manager, and say what comes next."""
    from voicectl import installation, systemctl
    from voicectl.service_facts import obstacle
    from voicectl.service_report import report, unit_file
    from voicectl.unit_file import render
    from voiced import __version__

    try:
        programs = installation.programs(os.environ)
    except installation.NotInstalledError as error:
        raise CommandError(str(error)) from error
    found = report(os.environ)
    if wrong := obstacle(found):
        complain(*wrong)
        return FALSE
    path = unit_file(os.environ)
    try:
        template = installation.template("voiced.service")
        text = render(template, __version__, programs, systemctl.version())
        installation.write(path, text)
        _write_drop_ins(arguments.user_namespaces)
        systemctl.run("daemon-reload")
        loaded = systemctl.show("FragmentPath").get("FragmentPath", "")
    except systemctl.ManagerError as error:
        complain(str(error))
        return FALSE
    if Path(loaded).resolve() != path.resolve():
        complain(f"{path} is written, but {loaded or 'nothing'} is used", "is XDG_DATA_HOME set?")
        return FALSE
    is_running = found.state is not None and found.state.active == "active"
    print(f"{path}: starts {programs.voiced}")
    print(f"next: {'voicectl service restart' if is_running else NOW}")
    return DONE


def uninstall(_: argparse.Namespace) -> int:
    """Remove what ``install`` wrote, and nothing else."""
    from voicectl import installation, systemctl
    from voicectl.service_report import report, unit_file

    path = unit_file(os.environ)
    facts = report(os.environ)
    if facts.ours is None:
        if facts.copies:
            complain(
                f"{facts.copies[0].path} was not made by voicectl", "remove it as it was installed"
            )
            return FALSE
        print("not installed")
        return DONE
    if facts.ours.generated_by is None:
        complain(f"{path} was not made by voicectl", f"remove {path}")
        return FALSE
    try:
        systemctl.run("disable", "--now", path.name)
        for name in (installation.SECRET, installation.NO_NAMESPACES):
            installation.remove_generated(installation.drop_in(name, os.environ))
        installation.remove_generated(path)
        systemctl.run("daemon-reload")
    except systemctl.ManagerError as error:
        complain(f"the service manager did not follow: {error}")
        return FALSE
    print(f"removed {path}")
    return DONE


def control(arguments: argparse.Namespace) -> int:
    """Have the service manager start, stop, enable or disable voiced."""
    from voicectl import systemctl
    from voicectl.unit_file import UNIT

    verb = arguments.subverb
    options = ["--now"] if getattr(arguments, "now", False) else []
    try:
        if systemctl.show("LoadState").get("LoadState") == "not-found":
            complain(f"{UNIT} is not installed", "install it: voicectl service install")
            return FALSE
        systemctl.run(verb, *options, UNIT)
    except systemctl.ManagerError as error:
        return _failed(verb, str(error))
    return DONE


def status(arguments: argparse.Namespace) -> int:
    """Say whether the service is installed and runs, and what is wrong."""
    from voicectl.service_report import report

    found = report(os.environ)
    if arguments.json:
        print(json.dumps(as_json(found)))
    else:
        print("\n".join(as_text(found)))
    if found.state is None:
        complain(found.complaint)
        return FALSE
    return DONE if found.state.active in ("active", "reloading") else NOT_RUNNING


def as_json(found: "Facts") -> dict[str, object]:
    """Return a report for scripts; its findings are those of the doctor that are not well."""
    from dataclasses import asdict

    from voicectl.checks.unit import judge, wrong

    in_use, program = found.in_use, found.program
    state = asdict(found.state) if found.state else {}
    return {
        "v": 1,
        "unit": in_use.path if in_use else None,
        "generated_by": in_use.generated_by if in_use else None,
        "program": program.path if program else None,
        **{name: state.get(name) for name in ("active", "sub", "enabled", "restarts", "result")},
        **{name: state.get(name) or None for name in ("pid", "status", "since")},
        "findings": [asdict(each) for each in wrong(judge(found))],
    }


def as_text(found: "Facts") -> list[str]:
    """Return a report for people, line by line."""
    from voicectl.checks.unit import judge, wrong

    state, in_use = found.state, found.in_use
    lines = [f"unit:     {in_use.path if in_use else 'not installed; voicectl service install'}"]
    if in_use is None:
        return lines
    if found.program is not None:
        made = f", made by voiced {in_use.generated_by}" if in_use.generated_by else ""
        lines.append(f"program:  {found.program.path}{made}")
    if state is not None:
        lines += _about_state(state)
    lines += [f"wrong:    {each.message}; {each.remedy}" for each in wrong(judge(found))]
    return lines


def _about_state(state: "State") -> list[str]:
    result = f" ({state.result})" if state.result not in ("", "success") else ""
    since = f" since {state.since}" if state.since and state.active == "active" else ""
    lines = [
        f"state:    {state.active}{result}{since}",
        f"at login: {'starts' if state.enabled == 'enabled' else state.enabled or 'unknown'}",
    ]
    if state.pid:
        lines.append(f"process:  {state.pid}, restarted {state.restarts} times")
    if state.status:
        lines.append(f"says:     {state.status}")
    return lines


def _failed(verb: str, complaint: str) -> int:
    """Say why the service manager did not do it: the daemon's own words, where it had any."""
    from voicectl.checks.unit import judge
    from voicectl.service_report import report

    found = report(os.environ)
    state = found.state
    if state is not None and state.active != "active":
        if state.status and state.result != "success":
            complain(f"voiced does not run: {state.status}")
            return FALSE
        if cause := next((each for each in judge(found) if each.level == "fail"), None):
            complain(cause.message, cause.remedy)
            return FALSE
    complain(f"{verb}: {complaint}", "voicectl logs -n 20 says more")
    return FALSE


def _write_drop_ins(user_namespaces: bool | None) -> None:
    """Write those drop-ins that are wanted, and remove those that are not."""
    from voicectl import installation
    from voicectl.service_report import key_file
    from voicectl.unit_file import render_drop_in, secret_drop_in
    from voiced import __version__

    loose = installation.drop_in(installation.NO_NAMESPACES, os.environ)
    if user_namespaces is True:
        installation.remove_generated(loose)
    elif user_namespaces is False or loose.exists():
        text = installation.template(installation.NO_NAMESPACES)
        installation.write(loose, render_drop_in(text, __version__))
    secret = installation.drop_in(installation.SECRET, os.environ)
    key = key_file(os.environ)
    if key.exists():
        installation.write(secret, secret_drop_in(str(key), __version__))
    else:
        installation.remove_generated(secret)
