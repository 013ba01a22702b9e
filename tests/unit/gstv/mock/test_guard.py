"""The mock asks for what a worker with the same settings shows."""

import asyncio
import base64
from typing import Any

import pytest

from pop_stream.errors import SettingsError
from pop_stream.gstv.from_settings import client_maker
from pop_stream.gstv.mock import guard
from pop_stream.gstv.mock.guard import guard_of
from pop_stream.gstv.mock.server import MockConfig, running_mock
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.settings import Settings, load_settings

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
OAUTH = {
    "gstv_auth": "oauth2",
    "gstv_oauth_url": "http://127.0.0.1:1/__mock__/token",
    "gstv_oauth_client_id": "worker",
    "gstv_oauth_client_secret": "s:ü",
}


def settings_of(**given: Any) -> Settings:
    """Settings of a mock, or of a worker."""
    return load_settings({}, overrides=given, dotenv=None)


def outcomes(asked: Settings, shown: dict[str, Any], posts: int = 1) -> list[Outcome]:
    """What becomes of posts that show what their own settings say."""

    async def scenario() -> list[Outcome]:
        told: asyncio.Queue[Outcome] = asyncio.Queue()
        async with running_mock(MockConfig(port=0, guard=guard_of(asked))) as mock:
            given = {**shown, "gstv_url": f"{mock.url}/pops"}
            if "gstv_oauth_url" in shown:
                given["gstv_oauth_url"] = f"{mock.url}/__mock__/token"
            settings = settings_of(**given)
            client = client_maker(settings, settings.gstv_url)(
                lambda _, came: told.put_nowait(came)
            )
            found = []
            for number in range(posts):
                client.post(None, b'{"n": 1}', f"id-{number}", 1)
                found.append(await asyncio.wait_for(told.get(), 20))
            await client.aclose()
            return found

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        (
            {"gstv_auth": "bearer", "gstv_auth_token": "tulip"},
            {"gstv_auth": "bearer", "gstv_auth_token": "rose"},
        ),
        (
            {"gstv_auth": "api-key", "gstv_auth_token": "tulip", "gstv_auth_header": "Key"},
            {"gstv_auth": "api-key", "gstv_auth_token": "tulip"},
        ),
        (
            {"gstv_auth": "basic", "gstv_auth_username": "u", "gstv_auth_password": "tulip"},
            {"gstv_auth": "basic", "gstv_auth_username": "v", "gstv_auth_password": "tulip"},
        ),
        ({"gstv_signing_secrets": SECRET}, {"gstv_signing_secrets": OTHER}),
    ],
    ids=["bearer", "api-key", "basic", "signature"],
)
def test_who_shows_what_is_asked_for_is_let_in(
    asked: dict[str, Any], wrong: dict[str, Any]
) -> None:
    """Who shows something else, or nothing, is answered 401."""
    settings = settings_of(**asked)

    assert outcomes(settings, asked) == [Answer(200)]
    assert outcomes(settings, wrong) == [Answer(401)]
    assert outcomes(settings, {}) == [Answer(401)]


def test_while_secrets_are_changed_both_sides_may_be_first() -> None:
    """A worker that signs with both is let in by a mock that knows either."""
    both = {"gstv_signing_secrets": f"{OTHER} {SECRET}"}

    assert outcomes(settings_of(gstv_signing_secrets=SECRET), both) == [Answer(200)]
    assert outcomes(settings_of(**both), {"gstv_signing_secrets": SECRET}) == [Answer(200)]


def test_it_gives_tokens_and_wants_one_of_them() -> None:
    """To the client whose secret is right."""
    asked = settings_of(**OAUTH)

    assert outcomes(asked, OAUTH) == [Answer(200)]
    (refused,) = outcomes(asked, {**OAUTH, "gstv_oauth_client_secret": "rose"})
    assert isinstance(refused, NoAnswer)
    assert (refused.trouble, refused.sent) == (Trouble.CREDENTIALS, False)
    assert outcomes(asked, {"gstv_auth": "bearer", "gstv_auth_token": "x"}) == [Answer(401)]


def test_a_token_that_has_ended_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 401 is told once, and the next post shows another token."""
    life = iter([-1.0, 60.0])
    monkeypatch.setattr(guard.TokenDesk, "life_seconds", property(lambda _: next(life)))

    assert outcomes(settings_of(**OAUTH), OAUTH, posts=2) == [Answer(401), Answer(200)]


def test_without_anything_to_ask_for_it_does_not_start() -> None:
    """Whoever wants credentials asked for has forgotten to say which."""
    with pytest.raises(SettingsError, match="POP_STREAM_GSTV_AUTH"):
        guard_of(settings_of())
