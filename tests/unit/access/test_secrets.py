"""Secrets of the settings, as they are now."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from pop_stream.access import reread
from pop_stream.access.secrets import reread_secret
from pop_stream.settings import load_settings, secret_file


@pytest.fixture(autouse=True)
def looked_at_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at whenever somebody asks."""
    monkeypatch.setattr(reread, "_LOOK_SECONDS", 0.0)


def loaded(path: Path) -> SecretStr:
    """Load settings whose password is in a file."""
    path.write_text("first\n")
    settings = load_settings(
        {
            "POP_STREAM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "POP_STREAM_KAFKA_SASL_USERNAME": "forwarder",
            "POP_STREAM_KAFKA_SASL_PASSWORD_FILE": str(path),
        },
        dotenv=None,
    )
    assert settings.kafka_sasl_password is not None
    return settings.kafka_sasl_password


def test_a_secret_of_a_file_knows_its_file_and_shows_nothing(tmp_path: Path) -> None:
    """It is masked as any other."""
    secret = loaded(tmp_path / "password")

    assert secret_file(secret) == tmp_path / "password"
    assert secret.get_secret_value() == "first"
    assert "first" not in f"{secret!r} {secret}"


def test_a_secret_of_a_file_is_read_anew(tmp_path: Path) -> None:
    """A renewed password is used without a restart; its line's end does not belong to it."""
    path = tmp_path / "password"
    value = reread_secret(loaded(path))
    path.write_text("second\r\n")

    assert value.get() == "second"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"x" * 65_537])
def test_what_is_no_secret_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    """An emptied file, or one that holds something else, leaves the secret as it was."""
    path = tmp_path / "password"
    value = reread_secret(loaded(path))
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))

    assert value.get() == "first"


def test_a_secret_of_a_variable_stays() -> None:
    """It has no file."""
    secret = SecretStr("fixed")

    assert secret_file(secret) is None
    assert reread_secret(secret).get() == "fixed"
