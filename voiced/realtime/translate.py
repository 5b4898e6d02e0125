"""Between the protocol's messages and the conversation's events, pure.

Rules
1. A sample is two bytes.  A server may cut its deltas anywhere; the odd byte waits for
   the next delta of the same piece.
2. Marker: what we ask for carries our event id in ``metadata``, so that we know our own
   response again when it is announced.
3. Sentences of the server reach logs and screens: they are made one line, cut short, and
   a key that they quote is taken out.
"""

import math
import re
from typing import Final, assert_never

from msgspec import UnsetType

from voiced.conversation import events as ev
from voiced.realtime import client_messages as out
from voiced.realtime import server_messages as wire
from voiced.settings import Settings

RATE_BYTES: Final = 2
MOST_TOKENS: Final = 100_000_000
"""A count above this is nonsense."""
LONGEST_SENTENCE: Final = 300
KEYS: Final = re.compile(r"\b(sk|ek)[-_][A-Za-z0-9_*.-]{4,}")
"""What the keys of the providers look like."""


class Translator:
    """Turns server messages into events; one for each session.

    Args:
        settings: What we asked for; it counts where the server says nothing.

    Attributes:
        key: The API key in use, which must not be told to anybody.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.key: str | None = None
        self._odd: dict[tuple[str, int], bytes] = {}

    def event(self, message: wire.ServerMessage) -> ev.ServerEvent | None:  # noqa: C901, PLR0911, PLR0912 - one case for each message
        """Return what a message means, or None when it means nothing to us."""
        match message:
            case wire.SessionCreated():
                return None
            case wire.SessionUpdated():
                return ev.SessionChanged(self.ready(message, math.inf))
            case wire.ErrorEvent():
                return self.error(message)
            case wire.SpeechStarted():
                return ev.SpeechStarted(message.item_id or "")
            case wire.SpeechStopped():
                return ev.SpeechStopped(message.item_id or "")
            case wire.Committed():
                return ev.TurnCommitted(message.item_id or "")
            case wire.TranscriptionDelta():
                return ev.UserTranscript(message.item_id, message.delta or "", is_final=False)
            case wire.TranscriptionCompleted():
                return ev.UserTranscript(message.item_id, message.transcript or "", is_final=True)
            case wire.ResponseCreated(response=body):
                return ev.ResponseCreated(body.id, wire.read(wire.Metadata, body.metadata).voiced)
            case wire.OutputItemAdded(response_id=response_id, item=item):
                is_message = item.type in ("message", None)
                return ev.ItemAdded(response_id, item.id, is_message)
            case wire.AudioDelta():
                return self._audio(message)
            case wire.AudioDone():
                key = (message.item_id, message.content_index or 0)
                self._odd.pop(key, None)
                return ev.AudioDone(message.response_id, *key)
            case wire.TranscriptDelta():
                return ev.ReplyTranscript(
                    message.response_id, message.item_id, message.delta or "", is_final=False
                )
            case wire.TranscriptDone():
                return ev.ReplyTranscript(
                    message.response_id, message.item_id, message.transcript or "", is_final=True
                )
            case wire.ResponseDone(response=body):
                return self.response_done(body)
            case _:
                assert_never(message)

    def ready(self, message: wire.SessionUpdated, now_unix_s: float) -> ev.SessionReady:
        """Read back the settings the server put in force."""
        config = wire.read(wire.SessionConfig, message.session)
        detection = config.effective_detection()
        if isinstance(detection, UnsetType):
            is_manual = self.settings.turns.detection == "manual"
            detection = None if is_manual else wire.TurnDetection()
        expires_s = config.expires_at or 0.0
        return ev.SessionReady(
            model=config.model or self.settings.provider.model,
            detects_turns=detection is not None,
            interrupts=detection is not None and bool(detection.interrupt_response),
            replies=detection is not None and detection.create_response is not False,
            expires_in_s=expires_s - now_unix_s if expires_s > now_unix_s else None,
        )

    def error(self, message: wire.ErrorEvent) -> ev.ServerError:
        """Read an error; its code may hide in its type."""
        detail = wire.read(wire.ErrorDetail, message.error)
        return ev.ServerError(
            _code(detail), plain(detail.message or "", self.key), detail.event_id or None
        )

    def response_done(self, body: wire.ResponseBody) -> ev.ResponseDone:
        """Read the end of a response: status, reason, error, usage."""
        if isinstance(body.status_details, str):
            details = wire.StatusDetails(reason=body.status_details)
        else:
            details = wire.read(wire.StatusDetails, body.status_details)
        error = details.error or wire.ErrorDetail()
        return ev.ResponseDone(
            body.id,
            body.status if isinstance(body.status, str) else "completed",
            details.reason,
            _code(error),
            plain(error.message or "", self.key) or None,
            usage(wire.read(wire.UsageReport, body.usage)),
        )

    def _audio(self, message: wire.AudioDelta) -> ev.AudioDelta:
        key = (message.item_id, message.content_index or 0)
        pcm = self._odd.pop(key, b"") + message.delta
        if len(pcm) % RATE_BYTES:
            self._odd[key] = pcm[-1:]
            pcm = pcm[:-1]
        return ev.AudioDelta(message.response_id, *key, pcm)


def plain(text: str, key: str | None = None) -> str:
    """Return a sentence of the server as one short line without a key in it."""
    if key:
        text = text.replace(key, "***")
    line = " ".join("".join(c if c.isprintable() else " " for c in KEYS.sub("***", text)).split())
    return line if len(line) <= LONGEST_SENTENCE else line[: LONGEST_SENTENCE - 3] + "..."


def _code(detail: wire.ErrorDetail) -> str | None:
    code = detail.code or detail.type
    return None if code is None else str(code)


def usage(report: wire.UsageReport) -> ev.Usage:
    """Read the tokens a response is billed for."""
    into = report.input_token_details or wire.InputTokenDetails()
    cached = into.cached_tokens_details or wire.TokenDetails()
    spoken = report.output_token_details or wire.TokenDetails()
    return ev.Usage(
        text_in=_tokens(into.text_tokens),
        audio_in=_tokens(into.audio_tokens),
        image_in=_tokens(into.image_tokens),
        text_cached=_tokens(cached.text_tokens),
        audio_cached=_tokens(cached.audio_tokens),
        image_cached=_tokens(cached.image_tokens),
        text_out=_tokens(spoken.text_tokens),
        audio_out=_tokens(spoken.audio_tokens),
    )


def _tokens(count: int | None) -> int:
    return count if count is not None and 0 <= count <= MOST_TOKENS else 0


def session_update(
    settings: Settings, event_id: str, *, with_voice: bool, is_held: bool = False
) -> out.UpdateSession:
    """Write the session we want.

    Args:
        settings: The configuration.
        event_id: Id of the event.
        with_voice: Name the voice; refused by the service once it has spoken.
        is_held: The talk key is down, and finds the end of the turn.
    """
    provider = settings.provider
    transcription = None
    if provider.transcription:
        transcription = out.TranscriptionWish(provider.transcription, provider.language or None)
    noise = out.NoiseReduction(provider.noise_reduction) if provider.noise_reduction else None
    voice = provider.voice or None if with_voice else None
    return out.UpdateSession(
        event_id,
        out.SessionWish(
            provider.instructions,
            out.AudioWish(
                out.InputWish(None if is_held else _detection(settings), transcription, noise),
                out.OutputWish(out.PcmFormat(), voice),
            ),
        ),
    )


def detection_change(settings: Settings, event_id: str, *, wanted: bool) -> out.ChangeDetection:
    """Write who finds the end of a turn: the server, as configured, or we."""
    detection = _detection(settings) if wanted else None
    return out.ChangeDetection(
        event_id, out.SessionChange(out.AudioChange(out.InputChange(detection)))
    )


def _detection(settings: Settings) -> out.DetectionWish | None:
    turns = settings.turns
    if turns.detection == "manual":
        return None
    wish = out.DetectionWish(turns.detection, create_response=True, interrupt_response=True)
    if turns.detection == "semantic_vad":
        wish.eagerness = turns.eagerness
        return wish
    wish.threshold = turns.threshold
    wish.prefix_padding_ms = turns.prefix_padding_ms
    wish.silence_duration_ms = turns.silence_duration_ms
    return wish
