"""The program that turns speech into words; ``ears.py`` runs it.

It is a process of its own because pocketsphinx holds the interpreter's lock while it
decodes, for some 200 ms at the end of a turn, and would stop the server's clock.

Standard input: frames of a kind (one byte), a length (four bytes, little-endian) and
that many bytes.  ``S`` begins a turn and carries its name, ``A`` is 16 kHz samples, ``E``
ends the turn, ``X`` drops it.  Standard output: one JSON line for each turn that was
ended, with its name and the words.  At the end of the input the program ends.

It is run by path and imports nothing of this package.
"""

import json
import signal
import struct
import sys
from typing import BinaryIO, Protocol

NOT_INSTALLED = 3
"""Exit status when pocketsphinx is missing."""
HEADER = struct.Struct("<cI")


class _Hypothesis(Protocol):
    hypstr: str


class Decoder(Protocol):
    """What is used of pocketsphinx."""

    def start_utt(self) -> None:
        """Begin a turn."""

    def process_raw(self, pcm: bytes, no_search: bool, full_utt: bool) -> int:
        """Hear samples."""

    def end_utt(self) -> None:
        """End the turn."""

    def hyp(self) -> _Hypothesis | None:
        """Return the words."""


def serve(decoder: Decoder, frames: BinaryIO, answers: BinaryIO) -> None:
    """Decode turns until the input ends."""
    name: str | None = None
    while len(header := frames.read(HEADER.size)) == HEADER.size:
        kind, length = HEADER.unpack(header)
        data = frames.read(length)
        if kind == b"S":
            name = data.decode()
            decoder.start_utt()
        elif name is None:
            continue
        elif kind == b"A":
            decoder.process_raw(data, False, False)
        else:
            decoder.end_utt()
            if kind == b"E":
                found = decoder.hyp()
                words = found.hypstr if found is not None else ""
                answers.write(json.dumps({"name": name, "words": words}).encode() + b"\n")
                answers.flush()
            name = None


def main() -> int:
    """Load the decoder and serve."""
    # Ctrl-C goes to the whole process group; the server ends this by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import pocketsphinx  # noqa: PLC0415 - an extra that may be missing
    except ImportError:
        return NOT_INSTALLED
    decoder = pocketsphinx.Decoder(pocketsphinx.Config(samprate=16000.0, loglevel="FATAL"))
    serve(decoder, sys.stdin.buffer, sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
