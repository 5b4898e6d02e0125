"""Whether the configuration can be used."""

from pathlib import Path

from voicectl import settings_file
from voicectl.checks.finding import Finding, fail, ok, warn
from voiced.errors import ConfigError
from voiced.settings import Settings


def check(in_use: Path | None) -> tuple[list[Finding], Settings | None]:
    """Read the configuration.

    Args:
        in_use: The file that the running daemon reads; None where that is not known.

    Returns:
        The findings, and the settings where they can be had.
    """
    own = settings_file.own()
    file = in_use or own
    try:
        settings = settings_file.load(file)
    except ConfigError as error:
        return [fail("config.file", str(error), "voicectl config edit")], None
    state = "good" if file.exists() else "there is no such file, the defaults hold"
    found = [ok("config.file", f"{file}: {state}")]
    if file != own and own.exists():
        found.append(
            warn(
                "config.other",
                f"the running daemon does not read {own}",
                "restart it without --config: voicectl service restart",
            )
        )
    return found, settings
