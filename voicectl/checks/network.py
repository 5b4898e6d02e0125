"""Whether the provider can be reached, takes the key and has the model.

Rules
1. OpenAI is asked for the model itself.  Others are dialled as for a conversation, which
   is hung up at once: what answers there is as different as the servers.
2. The key goes where the daemon would send it, and nowhere else; it is never repeated.
"""

import asyncio
import errno
import shutil
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from importlib.util import find_spec
from typing import Final, assert_never
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from voicectl.checks.finding import Finding, fail, ok, skip, warn
from voiced import __version__
from voiced.errors import WireError
from voiced.local.voice import PROGRAMS
from voiced.realtime import dialects, server_messages
from voiced.realtime.dial import dial
from voiced.realtime.translate import plain
from voiced.settings import Provider, Settings

WITHIN_S: Final = 5.0
PARROT: Final = "parrot"
GREETS_WITHIN_S: Final = 1.5
ACCEPTED: Final = 200
REFUSED: Final = (401, 403)
NOT_FOUND: Final = 404
TOO_MANY: Final = 429
UNWELL: Final = 500
REDIRECTS: Final = range(300, 400)
EDIT: Final = "voicectl config edit"
SECRET: Final = "voicectl secret set"  # noqa: S105 - a command


@dataclass(frozen=True, slots=True)
class Answered:
    """The server answered."""

    status: int
    """HTTP status."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The server did not answer."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The server took the connection, and hung up or complained at once."""

    message: str


Outcome = Answered | Unreachable | Declined


def check(
    settings: Settings | None, key: str | None, *, within_s: float = WITHIN_S
) -> list[Finding]:
    """Try to reach the provider.

    Args:
        settings: The settings; None where they cannot be read.
        key: The API key, or None.
        within_s: How long each try may take.
    """
    if settings is None:
        return [skip("network.reach", "the configuration cannot be read")]
    provider = settings.provider
    if provider.kind == "local":
        return _local(settings, within_s)
    if provider.kind == "openai":
        outcome = get(_model_url(provider), dialects.headers(provider, key), within_s)
    else:
        outcome = asyncio.run(knock(provider, key, within_s))
    return judged(outcome, provider, has_key=key is not None)


def judged(outcome: Outcome, provider: Provider, *, has_key: bool) -> list[Finding]:
    """Return what an outcome means."""
    host = urlsplit(dialects.websocket_url(provider)).netloc
    match outcome:
        case Unreachable(message, remedy):
            return [
                fail("network.reach", message, remedy),
                skip("model.available", "the provider cannot be reached"),
            ]
        case Declined(message):
            told = f"the server declines: {message}"
            remedy = f"correct [provider]: {EDIT}; or {SECRET}"
            return [ok("network.reach", host), fail("model.available", told, remedy)]
        case Answered(status) if status in REDIRECTS:
            told = f"{host} sends us elsewhere ({status}), which is not followed"
            return [fail("network.reach", told, f"correct [provider] url: {EDIT}")]
        case Answered(status):
            return [ok("network.reach", host), *_model(status, provider, has_key=has_key)]
        case _:
            assert_never(outcome)


def _model(status: int, provider: Provider, *, has_key: bool) -> list[Finding]:
    if status in REFUSED and has_key:
        return [
            fail("key.accepted", f"the provider refuses the key ({status})", SECRET),
            skip("model.available", "the key is refused"),
        ]
    if status in REFUSED:
        needs = dialects.DIALECTS[provider.kind].needs_key
        without = skip("model.available", "not asked without a key")
        return [without] if needs else [fail("key.accepted", "the server wants a key", SECRET)]
    name = f'"{provider.model}"'
    if status == NOT_FOUND:
        told = f"no model {name} for this key, or nothing at this address"
        return [fail("model.available", told, f"correct [provider] model or url: {EDIT}")]
    if status == TOO_MANY:
        told = f"the provider answers {status}: too many requests, or no quota left"
        return [warn("model.available", told, "see the provider's billing page")]
    if status >= UNWELL:
        told = f"the provider answers {status}"
        return [warn("model.available", told, "it is not well: try again later")]
    if status >= 400:  # noqa: PLR2004 - any other refusal
        told = f"the provider refuses {name} ({status})"
        return [fail("model.available", told, f"correct [provider]: {EDIT}")]
    found = [ok("model.available", provider.model)]
    return [ok("key.accepted", "the provider takes it"), *found] if has_key else found


def _local(settings: Settings, within_s: float) -> list[Finding]:
    """Look at what the built-in server needs."""
    extra = "pip install 'voiced[local]', into the same place"
    found = []
    if find_spec("pocketsphinx") is None:
        told = "pocketsphinx is not installed: the built-in server does not know your words"
        found.append(warn("local.ears", told, extra))
    else:
        found.append(ok("local.ears", "pocketsphinx"))
    voice = next(filter(shutil.which, PROGRAMS), None)
    if voice is None:
        found.append(fail("local.voice", "nothing to speak with", "apt install espeak-ng"))
    else:
        found.append(ok("local.voice", voice))
    brain = settings.local.brain
    if brain == PARROT:
        return [*found, skip("network.reach", "the built-in server needs no network")]
    if find_spec("httpx") is None:
        found.append(fail("local.brain", "httpx is not installed", extra))
    match get(f"{brain.rstrip('/')}/models", {}, within_s):
        case Unreachable(message, remedy):
            return [*found, fail("network.reach", message, remedy)]
        case _:
            return [*found, ok("network.reach", urlsplit(brain).netloc)]


def _model_url(provider: Provider) -> str:
    """Return where OpenAI tells about the model."""
    parts = urlsplit(dialects.websocket_url(provider))
    scheme = "https" if parts.scheme == "wss" else "http"
    path = parts.path.removesuffix("/realtime")
    return urlunsplit((scheme, parts.netloc, f"{path}/models/{quote(provider.model)}", "", ""))


class _NoRedirect(HTTPRedirectHandler):
    """The key goes where the user said, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def get(url: str, headers: Mapping[str, str], within_s: float) -> Outcome:
    """Ask a server for something, and return how it answered."""
    parts = urlsplit(url)
    # An empty one: what stays on this machine goes through no proxy.
    proxy = ProxyHandler({}) if dialects.is_loopback(parts.hostname) else ProxyHandler()
    opener = build_opener(proxy, _NoRedirect)
    request = Request(url, headers={"User-Agent": f"voiced/{__version__}", **headers})  # noqa: S310 - http and https only, see websocket_url
    try:
        with opener.open(request, timeout=within_s) as answer:
            return Answered(int(answer.status))
    except HTTPError as error:
        error.close()
        return Answered(error.code)
    except URLError as error:
        reason = error.reason if isinstance(error.reason, OSError) else OSError(error.reason)
        return _unreachable(reason, parts.netloc, within_s)
    except (OSError, HTTPException, ValueError) as error:
        return _unreachable(error, parts.netloc, within_s)


async def knock(provider: Provider, key: str | None, within_s: float) -> Outcome:
    """Begin a session, hang up, and return how the server answered."""
    host = urlsplit(dialects.websocket_url(provider)).netloc
    try:
        async with dial(provider, key, within_s=within_s) as connection:
            return await _greeting(connection, key)
    except InvalidStatus as error:
        return Answered(error.response.status_code)
    except (OSError, WebSocketException, ValueError, ImportError) as error:
        return _unreachable(error, host, within_s)


async def _greeting(connection: ClientConnection, key: str | None) -> Outcome:
    """Read what the server says first; some say nothing until they are spoken to."""
    try:
        async with asyncio.timeout(GREETS_WITHIN_S):
            message = server_messages.decode(await connection.recv())
    except (TimeoutError, WireError):
        return Answered(ACCEPTED)
    except ConnectionClosed as closed:
        why = (
            closed.rcvd.reason or f"closed with {closed.rcvd.code}"
            if closed.rcvd
            else "it broke off"
        )
        return Declined(plain(why, key))
    if isinstance(message, server_messages.ErrorEvent):
        detail = server_messages.read(server_messages.ErrorDetail, message.error)
        return Declined(plain(detail.message or str(detail.code or detail.type), key))
    return Answered(ACCEPTED)


def _unreachable(error: Exception, host: str, within_s: float) -> Unreachable:
    """Say why a server does not answer; what the error says is not repeated with a key."""
    match error:
        case socket.gaierror():
            return Unreachable(f"cannot find {host}: {error.strerror}", "check network and DNS")
        case ssl.SSLCertVerificationError():
            return Unreachable(
                f"the certificate of {host} is not trusted: {error.verify_message}",
                "check the clock (timedatectl) and the ca-certificates package",
            )
        case ssl.SSLError():
            return Unreachable(
                f"{host} does not speak TLS as it should: {error.reason}",
                f"check [provider] url, or a proxy in between: {EDIT}",
            )
        case TimeoutError():
            return Unreachable(
                f"no answer from {host} within {within_s:g} s", "check network, firewall and proxy"
            )
        case OSError() if error.errno == errno.ECONNREFUSED or "Errno 111" in str(error):
            return Unreachable(
                f"nothing serves at {host}", f"start that server, or correct the url: {EDIT}"
            )
        case OSError():
            what = error.strerror or type(error).__name__
            return Unreachable(f"cannot reach {host}: {what}", "check network, firewall and proxy")
        case _:
            return Unreachable(
                f"{host} answers with something else ({type(error).__name__})",
                f"check [provider] url: {EDIT}",
            )
