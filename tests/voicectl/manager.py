"""A stand-in for ``systemctl --user``, for tests of what voicectl makes of its answers.

The real one is asked in ``tests/service/test_user_manager.py``.
"""

import os
from pathlib import Path
from typing import Final

SCRIPT: Final = """\
#!/bin/sh
# Called as: systemctl --user --no-pager VERB ...
cd "${0%/*}/answers"
shift 2
echo "$*" >>asked
case "$*" in
  "show --property=UnitPath") cat unit-path ;;
  "show voiced.service "*) cat properties ;;
  --version) cat version ;;
esac
[ ! -e "$1.fails" ] || { cat "$1.fails" >&2; exit 1; }
"""


class Manager:
    """The stand-in, and a home that belongs to nobody.

    Args:
        base: An empty directory.
    """

    def __init__(self, base: Path) -> None:
        self.home = base / "home"
        self._answers = base / "bin" / "answers"
        for directory in (self.home, self._answers):
            directory.mkdir(parents=True)
        script = base / "bin" / "systemctl"
        script.write_text(SCRIPT)
        script.chmod(0o755)
        self.units = self.home / ".local/share/systemd/user"
        self.unit = self.units / "voiced.service"
        self.drop_ins = self.units / "voiced.service.d"
        self.key = self.home / ".config/voiced/openai.key"
        self.above = self.home / ".config/systemd/user/voiced.service"
        self.below = base / "usr/lib/systemd/user/voiced.service"
        places = (self.above.parent, self.units, self.below.parent)
        (self._answers / "unit-path").write_text(f"UnitPath={' '.join(map(str, places))}\n")
        self.is_of("systemd 257 (257.13)")
        self.says(ActiveState="inactive", FragmentPath=str(self.unit))

    def says(self, **properties: str) -> None:
        """Choose what is said about the service; it is loaded, where nothing else is said."""
        properties = {"LoadState": "loaded", "Result": "success"} | properties
        lines = "".join(f"{name}={value}\n" for name, value in properties.items())
        (self._answers / "properties").write_text(lines)

    def is_of(self, version: str) -> None:
        """Choose its version."""
        (self._answers / "version").write_text(f"{version}\n+PAM -IMA\n")

    def fails(self, verb: str, complaint: str) -> None:
        """Have it refuse."""
        (self._answers / f"{verb}.fails").write_text(f"{complaint}\nSee the journal.\n")

    def asked(self) -> list[str]:
        """Return what it was asked to do, without what it was asked about."""
        path = self._answers / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if not line.startswith(("show", "--version"))]

    def environment(self) -> dict[str, str]:
        """Return the environment of who uses it."""
        return {
            "HOME": str(self.home),
            "PATH": f"{self._answers.parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        }


def write(path: Path, text: str) -> None:
    """Write a file, and the directories it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
