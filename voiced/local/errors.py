"""What can go wrong in one session, sorted by whom it is told to.

* ``ClientError``  the client's event is refused: an ``error`` event, the session goes on
* ``ReplyError``   a reply cannot be made: its response is ``failed``, the session goes on
"""

from voiced.errors import VoicedError


class ClientError(VoicedError):
    """A client event is refused."""

    def __init__(self, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        """Path of the offending field, such as ``session.audio.output.voice``."""


class ReplyError(VoicedError):
    """The brain or the voice failed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
