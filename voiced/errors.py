"""The exceptions of voiced, sorted by whose fault they are.

* ``ConfigError``   the user's: one line that names the key; exit status 78
* ``DeviceError``   the world's: no such sound device, or it refused; an event for the core
* ``BusError``      the desktop's: no message bus, or somebody on it does not answer,
                    or not with what was asked for (``AnswerError``)
* ``WireError``     a peer's: a message that cannot be read; it is dropped, the session goes on
* ``LockError``     another daemon is running; exit status 75
"""


class VoicedError(Exception):
    """Everything voiced raises on purpose."""


class ConfigError(VoicedError):
    """The configuration or the secret cannot be used; the text says what to change."""

    def __init__(
        self,
        message: str,
        *,
        option: tuple[str, str] | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message)
        self.option = option
        """Table and key that the message is about, where it is about one."""
        self.line = line
        """Line of the configuration file the message is about, counted from 1."""
        self.column = column
        """Column of that line, counted from 1."""


class DeviceError(VoicedError):
    """A sound device is missing or refused to open."""


class BusError(VoicedError):
    """A message bus is missing, or somebody on it did not do what was asked."""


class AnswerError(BusError):
    """Who was asked on a message bus did answer: it refuses, or it says something else."""


class WireError(VoicedError):
    """A peer sent something that cannot be read."""


class OtherVersionError(WireError):
    """A peer speaks another version of the control protocol."""


class LockError(VoicedError):
    """Another daemon of this user holds the lock."""

    def __init__(self, path: str, pid: int | None) -> None:
        owner = f" (process {pid})" if pid else ""
        super().__init__(f"voiced is already running{owner}: {path} is locked")
        self.path = path
        self.pid = pid
