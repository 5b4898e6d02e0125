import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from voiced.service import store

NEXT_PROCESS = """
import os, sys
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="control.7", LISTEN_PID=str(os.getpid()))
os.dup2(int(sys.argv[1]), 3)
from voiced.service import store
kept = store.kept()
print(kept, os.read(3, 10), os.get_inheritable(3), [n for n in os.environ if "LISTEN" in n])
"""


def test_a_descriptor_is_sent_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "thing").write_text("kept")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
        (tmp_path / "thing").open() as thing,
    ):
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        store.keep("control.7", thing.fileno())
        store.forget("control.6")

        message, (sent,), _, _ = socket.recv_fds(listener, 100, 2)
        assert message == b"FDSTORE=1\nFDNAME=control.7"
        assert os.read(sent, 10) == b"kept"
        os.close(sent)
        assert listener.recv(100) == b"FDSTOREREMOVE=1\nFDNAME=control.6"


def test_without_a_service_manager_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("LISTEN_FDS", raising=False)
    store.keep("control.7", 0)

    assert store.kept() == {}


def test_the_next_process_gets_what_was_kept_and_its_children_do_not(tmp_path: Path) -> None:
    (tmp_path / "thing").write_text("kept")
    with (tmp_path / "thing").open() as thing:
        done = subprocess.run(
            [sys.executable, "-c", NEXT_PROCESS, str(thing.fileno())],
            pass_fds=[thing.fileno()],
            capture_output=True,
            text=True,
            check=True,
        )

    assert done.stdout == "{3: 'control.7'} b'kept' False []\n"
