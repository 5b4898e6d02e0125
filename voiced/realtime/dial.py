"""How a provider is connected to, for a conversation and for a check alike.

A key goes only where ``dialects.websocket_url`` allows: redirects are not followed, and
what stays on this machine is not sent through a proxy.
"""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from voiced import __version__
from voiced.realtime import dialects
from voiced.settings import Provider

CONNECT_WITHIN_S: Final = 10.0
CLOSE_WITHIN_S: Final = 1.0
PING_EVERY_S: Final = 20.0
LOCAL_URL: Final = "ws://localhost/v1"


class Connect(connect):
    """Follows no redirect: the key goes where the user said, and nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Return the refusal as it is."""
        return exc


def dial(
    provider: Provider,
    key: str | None,
    *,
    builtin: Path | None = None,
    within_s: float = CONNECT_WITHIN_S,
) -> Connect:
    """Return a connection that is made when it is awaited or entered.

    Args:
        provider: The settings.
        key: What the provider knows us by.
        builtin: The unix socket of the built-in server, which is dialled instead.
        within_s: How long it may take.

    Raises:
        ConfigError: The URL cannot be used, or would send the key in clear.
    """
    url = dialects.websocket_url(provider, LOCAL_URL if builtin else "")
    on_unix_socket: dict[str, Any] = {"unix": True, "path": str(builtin)} if builtin else {}
    return Connect(
        url,
        additional_headers=dialects.headers(provider, key),
        proxy=None if dialects.is_loopback(urlsplit(url).hostname) else True,
        compression=None,
        max_size=None,
        open_timeout=within_s,
        ping_interval=PING_EVERY_S,
        ping_timeout=PING_EVERY_S,
        close_timeout=CLOSE_WITHIN_S,
        user_agent_header=f"voiced/{__version__}",
        **on_unix_socket,
    )
