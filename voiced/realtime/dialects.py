"""How the providers differ: where they are, how they are told who we are, what they can.

The URL rule is that of the official client: the base URL with http turned into ws, plus
``/realtime`` and the model as a query (OpenAI and Azure, GA protocol).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from voiced.errors import ConfigError
from voiced.settings import Provider

OPENAI_URL: Final = "https://api.openai.com/v1"
SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one kind of provider needs to be told, and what it understands."""

    key_header: str
    """Header that carries the key."""
    key_prefix: str
    """What stands before the key in it."""
    needs_key: bool
    default_url: str


DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": Dialect("Authorization", "Bearer ", needs_key=True, default_url=OPENAI_URL),
    "azure": Dialect("api-key", "", needs_key=True, default_url=""),
    "compatible": Dialect("Authorization", "Bearer ", needs_key=False, default_url=""),
    "local": Dialect("Authorization", "Bearer ", needs_key=False, default_url=""),
}


def is_loopback(host: str | None) -> bool:
    """Tell whether a host name means this machine."""
    if host is None:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def websocket_url(provider: Provider, base_url: str = "") -> str:
    """Return where to connect.

    Args:
        provider: The settings.
        base_url: Stands in for the configured one, for the built-in server.

    Raises:
        ConfigError: The URL cannot be used, or would send the key in clear.
    """
    base = base_url or provider.url or DIALECTS[provider.kind].default_url
    try:
        parts = urlsplit(base)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad_url(f'= "{base}" is no URL: {error}') from error
    if parts.username is not None:
        raise _bad_url(
            "has a name or password in it: take it out, the key goes into OPENAI_API_KEY or"
            " the key file"
        )
    scheme = SCHEMES.get(parts.scheme)
    if scheme is None or not host or port == 0:
        raise _bad_url(f'= "{base}" is no URL of a server: write it like "https://example.org/v1"')
    if scheme == "ws" and not is_loopback(host):
        raise _bad_url(
            f'= "{base}" is not encrypted: use https:// or wss://; plain http:// and ws:// are'
            " only for this machine (127.0.0.1, localhost)"
        )
    path = parts.path.rstrip("/")
    if not path.endswith("/realtime"):
        path += "/realtime"
    query = "&".join(filter(None, (parts.query, urlencode({"model": provider.model}))))
    return urlunsplit((scheme, parts.netloc, path, query, ""))


def _bad_url(complaint: str) -> ConfigError:
    return ConfigError(f"[provider] url {complaint}", option=("provider", "url"))


def headers(provider: Provider, key: str | None) -> dict[str, str]:
    """Return the headers that say who we are."""
    dialect = DIALECTS[provider.kind]
    return {dialect.key_header: f"{dialect.key_prefix}{key}"} if key else {}
