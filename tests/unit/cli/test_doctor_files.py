"""What the doctor says of files that others can read, or write."""

import json
import os
from pathlib import Path

import pytest

from pop_stream.cli.diagnosis import Level
from pop_stream.cli.doctor_files import dotenv, secret_files
from pop_stream.cli.main import run
from pop_stream.settings import Settings, load_settings


def settings_with(path: Path) -> Settings:
    """Settings whose Kafka password is in that file."""
    return load_settings(
        {
            "POP_STREAM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "POP_STREAM_KAFKA_SASL_MECHANISM": "PLAIN",
            "POP_STREAM_KAFKA_SASL_USERNAME": "forwarder",
            "POP_STREAM_KAFKA_SASL_PASSWORD_FILE": str(path),
        },
        dotenv=None,
    )


def secret(folder: Path, mode: int) -> Path:
    """A file with a secret."""
    path = folder / "hidden-name"
    path.write_text("hunter2-hunter2\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o601, 0o666])
def test_a_secret_that_everybody_can_use_is_told_by_its_setting(tmp_path: Path, mode: int) -> None:
    """Neither its place nor what is in it: either may be the secret."""
    (found,) = secret_files(settings_with(secret(tmp_path, mode)))

    assert found.level is Level.WARN
    assert found.found.startswith("POP_STREAM_KAFKA_SASL_PASSWORD_FILE: ")
    assert f"{mode:04o}" in found.found
    assert "hidden-name" not in found.found + found.remedy
    assert "hunter2" not in found.found + found.remedy


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o660])
def test_a_secret_for_its_owner_and_group_is_well(tmp_path: Path, mode: int) -> None:
    """Kubernetes gives them so."""
    (found,) = secret_files(settings_with(secret(tmp_path, mode)))

    assert (found.level, found.found) == (Level.OK, "1, none of them for everybody")


def test_a_key_is_a_secret_too(tmp_path: Path) -> None:
    """That of a certificate, which is named by a setting of its own."""
    settings = Settings(gstv_ssl_keyfile=str(secret(tmp_path, 0o644)))
    (found,) = secret_files(settings)

    assert found.found.startswith("POP_STREAM_GSTV_SSL_KEYFILE: ")


def test_without_secrets_in_files_nothing_is_wrong() -> None:
    """Those in variables have no mode."""
    (found,) = secret_files(Settings())

    assert (found.level, found.found) == (Level.OK, "none")


@pytest.mark.parametrize(
    ("mode", "level"),
    [(0o600, Level.OK), (0o644, Level.OK), (0o664, Level.WARN), (0o646, Level.WARN)],
)
def test_an_env_that_others_can_write_is_a_warning(tmp_path: Path, mode: int, level: Level) -> None:
    """They would say where Kafka and GSTV are."""
    file = tmp_path / ".env"
    file.write_text("")
    file.chmod(mode)

    assert dotenv(tmp_path).level is level


def test_an_env_of_another_user_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless that is root, who could do all else as well."""
    (tmp_path / ".env").touch(0o600)
    owner = (tmp_path / ".env").stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)

    assert dotenv(tmp_path).level is (Level.OK if owner == 0 else Level.WARN)


@pytest.mark.parametrize(
    ("mode", "level"), [(0o755, Level.OK), (0o775, Level.OK), (0o1777, Level.WARN)]
)
def test_a_folder_where_everybody_can_leave_an_env_is_a_warning(
    tmp_path: Path, mode: int, level: Level
) -> None:
    """As /tmp is: it would be read at the next start."""
    tmp_path.chmod(mode)

    assert dotenv(tmp_path).level is level


def test_doctor_looks_at_files(capsys: pytest.CaptureFixture[str]) -> None:
    """With all else."""
    run(["doctor", "--json", "--kafka-bootstrap-servers", "127.0.0.1:1"])

    checks = {each["check"] for each in json.loads(capsys.readouterr().out)}
    assert {"secret files", ".env"} <= checks
