import json
from pathlib import Path

import pytest

from pop_stream.cli.main import run
from pop_stream.settings import SETTINGS, Setting
from tests.unit.settings.secret_settings import CANARY, SECRETS, environ_with, secret_of


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_setting_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Setting, value, source, default, with tabs between them, for cut and grep."""
    assert run(["config", "--retries", "5"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]

    assert [row[0] for row in rows] == list(SETTINGS)
    assert ["retries", "5", "--retries", "3"] in rows
    assert ["group", "pop-stream", "default", "pop-stream"] in rows


def test_json_has_the_values_themselves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers, lists and null, not their text."""
    monkeypatch.setenv("POP_STREAM_STAGES", "retry")
    assert run(["config", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert list(found) == list(SETTINGS)
    assert found["stages"] == {
        "value": ["retry"],
        "source": "POP_STREAM_STAGES in the environment",
        "default": ["forward", "retry", "failure"],
    }
    assert found["gstv_url"] == {"value": None, "source": "default", "default": None}
    assert found["retries"]["value"] == 3


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.name)
@pytest.mark.parametrize("form", [[], ["--json"], ["--markdown"]])
def test_no_form_shows_a_secret(
    form: list[str],
    secret: Setting,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That there is one is shown, and where it came from."""
    for variable, value in environ_with(secret).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("POP_STREAM_GSTV_URL", f"https://gstv.example/pops?key={CANARY}")

    assert run(["config", *form]) == 0
    out, err = capsys.readouterr()
    assert CANARY not in out + err
    assert secret_of(secret) not in out + err
    if form != ["--markdown"]:
        assert "********" in out
        assert f"{secret.variable} in the environment" in out


def test_wrong_settings_are_not_shown_but_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing half right on stdout."""
    assert run(["config", "--retries", "-1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--retries must be" in err
