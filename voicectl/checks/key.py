"""Whether the API key is there, and nobody else can read it.  It is never shown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from voicectl.checks.finding import Finding, fail, ok, skip, warn
from voiced.errors import ConfigError
from voiced.realtime.dialects import DIALECTS
from voiced.service.credentials import KEY_FILE, VARIABLE, find_key
from voiced.settings import Settings

SET: Final = "voicectl secret set"


def check(
    settings: Settings | None,
    directory: Path,
    environment: Mapping[str, str],
    *,
    has_service: bool,
) -> tuple[list[Finding], str | None]:
    """Look for the key.

    Args:
        settings: The settings; None where they cannot be read.
        directory: Where the configuration lives.
        environment: The environment.
        has_service: The service manager runs the daemon, which sees no shell's variables.

    Returns:
        The findings, and the key where it may be used.
    """
    if settings is None:
        return [skip("key.present", "the configuration cannot be read")], None
    provider = settings.provider
    if provider.kind == "local":
        return [skip("key.present", "the built-in server needs no key")], None
    file = directory / KEY_FILE
    try:
        key = find_key(environment, directory)
    except ConfigError as error:
        complaint, _, _ = str(error).partition(": chmod")
        return [fail("key.mode", complaint, f"chmod 600 {file}")], None
    if key is None:
        if DIALECTS[provider.kind].needs_key:
            told = f"no API key, and {provider.kind} needs one"
            return [fail("key.present", told, f'{SET}, or [provider] kind = "local"')], None
        return [ok("key.present", "none; a compatible server may need none")], None
    if not key.isascii() or not key.isprintable() or " " in key:
        return [fail("key.present", "the key holds what no key holds, such as a space", SET)], None
    is_in_file = file.is_file() and find_key({}, directory) == key
    if is_in_file:
        found = [ok("key.present", f"in {file}"), ok("key.mode", "only you can read it")]
    elif has_service:
        told = f"only in {VARIABLE}, which the service does not see"
        found = [warn("key.present", told, SET)]
    else:
        found = [ok("key.present", f"in {VARIABLE}")]
    return found, key
