import asyncio
import json
import socket
import ssl
import sys
from collections.abc import Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidMessage

from tests.rig.provider import ScriptedProvider
from tests.voicectl.checks.said import levels, only
from tests.voicectl.checks.web import closed_port, web
from voicectl.checks import network
from voicectl.checks.finding import Finding
from voicectl.checks.network import Answered, check
from voiced.settings import Local, Provider, Settings

SECRET = "sk-marked"
WITHIN_S = 20.0


def openai(url: str) -> Settings:
    return Settings(provider=Provider(url=f"{url}/v1", model="gpt-realtime"))


def compatible(url: str) -> Settings:
    return Settings(provider=Provider(kind="compatible", url=f"{url}/v1"))


def looked(settings: Settings | None, key: str | None = SECRET) -> list[Finding]:
    found = check(settings, key, within_s=WITHIN_S)
    assert SECRET not in repr(found)
    return found


def test_openai_is_asked_for_the_model_with_the_key() -> None:
    with web(200) as server:
        found = looked(openai(server.url))

    assert levels(found) == {
        "network.reach": "ok",
        "key.accepted": "ok",
        "model.available": "ok",
    }
    ((path, headers),) = server.asked
    assert path == "/v1/models/gpt-realtime"
    assert headers["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, {"network.reach": "ok", "key.accepted": "fail", "model.available": "skip"}),
        (403, {"network.reach": "ok", "key.accepted": "fail", "model.available": "skip"}),
        (404, {"network.reach": "ok", "model.available": "fail"}),
        (400, {"network.reach": "ok", "model.available": "fail"}),
        (429, {"network.reach": "ok", "model.available": "warn"}),
        (503, {"network.reach": "ok", "model.available": "warn"}),
    ],
)
@pytest.mark.parametrize("kind", [openai, compatible])
def test_a_refusal_says_what_is_refused(
    kind: Callable[[str], Settings], status: int, expected: dict[str, str]
) -> None:
    with web(status) as server:
        assert levels(looked(kind(server.url))) == expected


def test_a_model_that_is_not_there_is_named() -> None:
    with web(404) as server:
        finding = only(looked(openai(server.url)), "model.available")

    assert finding.message.startswith('no model "gpt-realtime" for this key')
    assert "voicectl config edit" in finding.remedy


def test_the_key_is_not_sent_after_a_redirect() -> None:
    with web(200) as other, web(302, {"Location": f"{other.url}/v1"}) as server:
        for kind in (openai, compatible):
            assert levels(looked(kind(server.url))) == {"network.reach": "fail"}
        assert other.asked == []


def test_without_a_key_only_the_way_is_tried() -> None:
    with web(401) as server:
        assert levels(looked(openai(server.url), None)) == {
            "network.reach": "ok",
            "model.available": "skip",
        }
        assert levels(looked(compatible(server.url), None)) == {
            "network.reach": "ok",
            "key.accepted": "fail",
        }


@pytest.mark.parametrize("kind", [openai, compatible])
def test_a_server_that_is_not_there_is_told(kind: Callable[[str], Settings]) -> None:
    with closed_port() as port:
        found = looked(kind(f"http://127.0.0.1:{port}"))

    assert levels(found) == {"network.reach": "fail", "model.available": "skip"}
    assert only(found, "network.reach").message == f"nothing serves at 127.0.0.1:{port}"


@pytest.mark.parametrize("kind", [openai, compatible])
def test_a_server_that_speaks_no_tls_is_told(kind: Callable[[str], Settings]) -> None:
    with web(200) as server:
        found = looked(kind(f"https://127.0.0.1:{server.port}"))

    assert levels(found) == {"network.reach": "fail", "model.available": "skip"}
    assert "TLS" in only(found, "network.reach").message


async def test_another_provider_is_dialled_as_for_a_conversation() -> None:
    async with ScriptedProvider() as provider:
        settings = Settings(provider=Provider(kind="compatible", url=provider.base_url))
        found = await asyncio.to_thread(looked, settings)
        (wire,) = provider.wires

    assert levels(found) == {
        "network.reach": "ok",
        "key.accepted": "ok",
        "model.available": "ok",
    }
    assert wire.headers["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("first", "expected", "told"),
    [
        ('{"type": "session.created"}', "ok", ""),
        ("nonsense", "ok", ""),
        (
            json.dumps({"type": "error", "error": {"message": f"Incorrect key: {SECRET}"}}),
            "fail",
            "the server declines: Incorrect key: ***",
        ),
        ("", "fail", "the server declines: not for you"),
    ],
)
async def test_a_server_that_takes_the_call_may_still_decline(
    first: str, expected: str, told: str
) -> None:
    async def greet(connection: ServerConnection) -> None:
        if first:
            await connection.send(first)
            await connection.wait_closed()
        else:
            await connection.close(4000, "not for you")

    async with serve(greet, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        found = await asyncio.to_thread(looked, compatible(f"http://127.0.0.1:{port}"))

    assert levels(found)["network.reach"] == "ok"
    assert levels(found)["model.available"] == expected
    assert not told or only(found, "model.available").message == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (socket.gaierror(-2, "Name or service not known"), "cannot find h: Name or service"),
        (ssl.SSLCertVerificationError(1, "x"), "the certificate of h is not trusted"),
        (TimeoutError(), "no answer from h within 5 s"),
        (OSError(113, "No route to host"), "cannot reach h: No route to host"),
        (OSError("Multiple exceptions: [Errno 111] x, [Errno 111] y"), "nothing serves at h"),
        (InvalidMessage(SECRET), "h answers with something else (InvalidMessage)"),
    ],
)
def test_a_way_that_is_blocked_is_told(error: OSError, told: str) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "self-signed certificate"
    outcome = network._unreachable(error, "h", 5.0)

    assert outcome.message.startswith(told)
    assert outcome.remedy
    assert SECRET not in repr(outcome)


def test_the_built_in_server_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked(Settings(provider=Provider(kind="local")), None)
    monkeypatch.setenv("PATH", "")
    without = looked(Settings(provider=Provider(kind="local")), None)

    assert levels(found)["network.reach"] == "skip"
    assert levels(found)["local.ears"] == "ok"
    assert levels(without)["local.voice"] == "fail"
    assert only(without, "local.voice").remedy == "apt install espeak-ng"


def test_what_the_built_in_server_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pocketsphinx", "httpx"):
        monkeypatch.setitem(sys.modules, name, None)
    local = Local(brain="http://127.0.0.1:1/v1")
    found = looked(Settings(provider=Provider(kind="local"), local=local), None)

    assert levels(found)["local.ears"] == "warn"
    assert levels(found)["local.brain"] == "fail"
    assert levels(found)["network.reach"] == "fail"


def test_the_brain_of_the_built_in_server_is_tried() -> None:
    with web(404) as server:
        local = Local(brain=f"{server.url}/v1/")
        found = looked(Settings(provider=Provider(kind="local"), local=local), None)

    assert levels(found)["network.reach"] == "ok"
    assert server.asked[0][0] == "/v1/models"


def test_a_broken_configuration_skips_it() -> None:
    assert levels(looked(None)) == {"network.reach": "skip"}


def test_an_answer_that_is_none_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.listen()
        outcome = network.get(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, 0.05)

    assert not isinstance(outcome, Answered)
    assert "no answer from 127.0.0.1" in outcome.message
