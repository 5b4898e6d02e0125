"""Tries the service on the systemd of other releases of Debian.

``python -m tests.service.versions trixie sid`` makes a tree of each release with mmdebstrap,
below ``out/systemd`` and once only, and runs the tests of the service in it.  It needs root,
mmdebstrap and Debian's archive.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.rig.daemon import ROOT

TREES: Final = ROOT / "out" / "systemd"
SOUND: Final = {"sid": ("pipewire", "pipewire-pulse", "pipewire-alsa", "wireplumber")}
"""The newest release tries PipeWire; the others have PulseAudio."""
PACKAGES: Final = (
    "systemd",
    "dbus-user-session",
    "util-linux",
    "python3-minimal",
    "pulseaudio-utils",
    "libasound2-plugins",
    "libportaudio2",
    "espeak-ng",
    # What our own Python is linked with.
    "libssl3t64",
    "libffi8",
    "libsqlite3-0",
    "libbz2-1.0",
    "liblzma5",
    "zlib1g",
    "libexpat1",
)


def main(releases: list[str]) -> int:
    """Try every release and return 0 when all went well."""
    if not releases:
        sys.stderr.write(f"{__doc__}")
        return 2
    results = {release: trial(release, tree(release)) for release in releases}
    for release, status in results.items():
        sys.stdout.write(f"{release}: {'passed' if status == 0 else f'status {status}'}\n")
    return max(results.values())


def tree(release: str) -> Path:
    """Return the tree of a release, made if need be."""
    made = TREES / release
    if made.exists():
        return made
    TREES.mkdir(parents=True, exist_ok=True)
    packages = ",".join((*PACKAGES, *SOUND.get(release, ("pulseaudio",))))
    unfinished = made.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ("--variant=minbase", "--aptopt=Acquire::Check-Valid-Until false")
    command = ["mmdebstrap", *options, f"--include={packages}", release, str(unfinished), archive()]
    subprocess.run(command, check=True)
    return unfinished.rename(made)


def archive() -> str:
    """Return the archive that this machine installs from."""
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[0]


def trial(release: str, root: Path) -> int:
    """Run the tests with the systemd of a tree."""
    sys.stdout.write(f"--- {release}\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "pytest", "-q", "tests/service/test_user_manager.py"]
    environment = {**os.environ, "VOICED_TEST_ROOT": str(root)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
