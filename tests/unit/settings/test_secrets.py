import traceback
from pathlib import Path

import pytest

from pop_stream.errors import SettingsError
from pop_stream.settings import SETTINGS, Setting, Settings, load, load_settings
from tests.unit.settings.secret_settings import CANARY, SECRETS, environ_with, secret_of

every_secret = pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.name)


def _revealed(settings: Settings, secret: Setting) -> str:
    value: str = getattr(settings, secret.name).get_secret_value()
    return value


def test_a_password_is_a_secret() -> None:
    """What has a secret's name is typed as one."""
    telling = ("password", "token", "secret", "secrets", "key")

    assert [setting.name for setting in SECRETS] == [
        name for name in SETTINGS if name.endswith(telling)
    ]


@pytest.mark.parametrize(
    "secret",
    [secret for secret in SECRETS if secret.name.endswith(("password", "_secret"))],
    ids=lambda secret: secret.name,
)
def test_a_secret_comes_from_its_file(secret: Setting, tmp_path: Path) -> None:
    """The file's content is the secret, but for one line break at its end."""
    file = tmp_path / "secret"
    environ = {**environ_with(secret), f"{secret.variable}_FILE": str(file)}
    del environ[secret.variable]

    for content, expected in [
        ("tulip", "tulip"),
        ("tulip\n", "tulip"),
        ("tulip\r\n", "tulip"),
        ("tulip\r", "tulip\r"),
        (" tulip \n\n", " tulip \n"),
    ]:
        file.write_bytes(content.encode())
        assert _revealed(load_settings(environ, dotenv=None), secret) == expected


@every_secret
@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff", b"x" * 70_000], ids=str)
def test_a_secret_file_that_is_of_no_use_is_a_problem(
    secret: Setting, content: bytes | None, tmp_path: Path
) -> None:
    """No file, nothing in it, no text, far too much: one problem, which names the variable."""
    file = tmp_path / CANARY
    if content is not None:
        file.write_bytes(content)
    environ = {**environ_with(secret), f"{secret.variable}_FILE": str(file)}
    del environ[secret.variable]

    with pytest.raises(SettingsError) as caught:
        load_settings(environ, dotenv=None)

    (problem,) = caught.value.problems
    assert problem.startswith(f"{secret.variable}_FILE in the environment ")
    # Some day somebody puts the secret itself where the path belongs.
    assert CANARY not in problem


@every_secret
def test_a_secret_is_given_either_plain_or_as_a_file(secret: Setting, tmp_path: Path) -> None:
    """Which of the two was meant is not guessed."""
    environ = {**environ_with(secret), f"{secret.variable}_FILE": str(tmp_path)}

    with pytest.raises(SettingsError) as caught:
        load_settings(environ, dotenv=None)

    (problem,) = caught.value.problems
    assert "too: drop one" in problem
    assert CANARY not in problem


@every_secret
def test_no_secret_is_ever_shown(secret: Setting) -> None:
    """Neither the settings, nor where they came from, nor an error shows a secret."""
    loaded = load(environ_with(secret), dotenv=None)

    assert _revealed(loaded.settings, secret) == secret_of(secret)
    shown = [
        repr(loaded),
        str(loaded.settings),
        repr(loaded.given),
        f"{loaded.settings.model_dump()}",
        loaded.settings.model_dump_json(),
        secret.show(getattr(loaded.settings, secret.name)),
    ]
    assert not [text for text in shown if secret_of(secret) in text]


@every_secret
@pytest.mark.parametrize("value", [f"{CANARY}\x00", f" {CANARY}", [CANARY], {CANARY: 1}], ids=str)
def test_no_error_shows_a_secret(secret: Setting, value: object) -> None:
    """Whatever is wrong with it or beside it, the message and the traceback do not repeat it."""
    overrides = {"retries": "x", secret.name: value}

    with pytest.raises(SettingsError) as caught:
        load_settings(environ_with(secret), overrides=overrides, dotenv=None)

    text = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert CANARY not in text


@pytest.mark.parametrize("name", ["gstv_url", "notification_url"])
@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{CANARY}@gstv.example/",
        f"https://gstv.example/?key={CANARY}#x",
        f"ftp://{CANARY}",
        f"http://gstv.example/{CANARY}",
        f"https://gstv.example:99999/{CANARY}",
    ],
)
def test_a_wrong_url_is_not_repeated(name: str, url: str) -> None:
    """A URL may hold a key."""
    with pytest.raises(SettingsError) as caught:
        load_settings({SETTINGS[name].variable: url}, dotenv=None)

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("name", ["gstv_url", "notification_url"])
def test_the_query_of_a_url_is_masked(name: str) -> None:
    """The address is shown, the rest of it not."""
    url = f"https://gstv.example/pops?key={CANARY}"
    loaded = load({SETTINGS[name].variable: url}, dotenv=None)

    assert SETTINGS[name].show(url) == "https://gstv.example/pops?********"
    assert CANARY not in repr(loaded)
