import pytest

from voiced.errors import ConfigError
from voiced.realtime.dialects import headers, is_loopback, websocket_url
from voiced.settings import Provider


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        (Provider(), "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"),
        (
            Provider(kind="azure", url="https://me.openai.azure.com/openai/v1", model="mine"),
            "wss://me.openai.azure.com/openai/v1/realtime?model=mine",
        ),
        (
            Provider(kind="compatible", url="http://127.0.0.1:8080/v1/", model="a b"),
            "ws://127.0.0.1:8080/v1/realtime?model=a+b",
        ),
        (
            Provider(kind="compatible", url="wss://host/api/realtime?x=1", model="m"),
            "wss://host/api/realtime?x=1&model=m",
        ),
        (
            Provider(kind="compatible", url="ws://[::1]:9", model="m"),
            "ws://[::1]:9/realtime?model=m",
        ),
    ],
)
def test_the_url_is_made_as_the_official_client_makes_it(provider: Provider, url: str) -> None:
    assert websocket_url(provider) == url


def test_the_built_in_server_has_a_url_of_its_own() -> None:
    assert websocket_url(Provider(kind="local"), "ws://localhost/v1").startswith(
        "ws://localhost/v1/realtime?model="
    )


@pytest.mark.parametrize("url", ["ws://192.168.1.5:8000", "http://example.org/v1"])
def test_a_key_never_travels_in_clear(url: str) -> None:
    with pytest.raises(ConfigError, match=r"not encrypted: use https://") as caught:
        websocket_url(Provider(kind="compatible", url=url))

    assert url in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "ftp://example.org",
        "https://",
        "http://[::1",
        "https://example.org:99999",
        "https://example.org:0",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"\[provider\] url = .* is no URL"):
        websocket_url(Provider(kind="compatible", url=url))


def test_a_password_does_not_belong_into_the_url() -> None:
    for scheme in ("https", "http"):
        with pytest.raises(ConfigError, match="the key goes into OPENAI_API_KEY") as caught:
            websocket_url(Provider(kind="compatible", url=f"{scheme}://me:secret@example.org/v1"))

        assert "secret" not in str(caught.value)


def test_this_machine_is_known_by_its_names() -> None:
    assert is_loopback("localhost")
    assert is_loopback("127.3.2.1")
    assert is_loopback("::1")
    assert not is_loopback("127.example.org")
    assert not is_loopback("example.org")
    assert not is_loopback(None)


def test_each_provider_is_told_who_we_are_in_its_own_way() -> None:
    assert headers(Provider(), "k") == {"Authorization": "Bearer k"}
    assert headers(Provider(kind="azure"), "k") == {"api-key": "k"}
    assert headers(Provider(kind="compatible"), None) == {}
