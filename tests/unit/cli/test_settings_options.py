from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pop_stream.cli.settings_options import expand, with_settings
from pop_stream.errors import SettingsError
from pop_stream.settings import SETTINGS, Settings


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The .env of whoever runs the tests is not ours.
    monkeypatch.chdir(tmp_path)


def _settings(*argv: str, names: tuple[str, ...] = tuple(SETTINGS)) -> Settings:
    caught: list[Settings] = []

    @click.command()
    @click.argument("retries", default=0)
    @with_settings(*names)
    def command(retries: int, *, settings: Settings) -> None:
        assert retries == 0
        caught.append(settings)

    CliRunner().invoke(command, argv, catch_exceptions=False, standalone_mode=False)
    (settings,) = caught
    return settings


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("kafka_bootstrap_servers", "localhost:1", "localhost:1"),
        ("kafka_security_protocol", "SSL", "SSL"),
        ("gstv_timeout_seconds", "2.5", 2.5),
        ("gstv_max_in_flight", "9", 9),
        ("stages", "retry,forward", ("retry", "forward")),
        ("retry_backoff_seconds", "0.5,1", (0.5, 1.0)),
        ("validation", "off", "off"),
    ],
)
def test_a_flag_gives_its_setting(name: str, text: str, value: object) -> None:
    """Whatever its kind."""
    assert getattr(_settings(SETTINGS[name].flag, text), name) == value


def test_a_boolean_has_a_flag_for_yes_and_for_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag can take back what the environment says; without one the environment stands."""
    monkeypatch.setenv("POP_STREAM_GSTV_ALLOW_PLAINTEXT", "true")

    assert _settings().gstv_allow_plaintext
    assert not _settings("--no-gstv-allow-plaintext").gstv_allow_plaintext
    monkeypatch.delenv("POP_STREAM_GSTV_ALLOW_PLAINTEXT")
    assert _settings("--gstv-allow-plaintext").gstv_allow_plaintext


def test_settings_without_a_flag_come_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command shows few flags, and obeys all settings."""
    monkeypatch.setenv("POP_STREAM_RETRIES", "7")

    assert _settings(names=("gstv_url",)).retries == 7


def test_a_dotenv_of_the_current_folder_is_read(tmp_path: Path) -> None:
    """Nobody need name it."""
    (tmp_path / ".env").write_text("POP_STREAM_RETRIES=8\n", encoding="utf-8")

    assert _settings().retries == 8


def test_a_flag_names_a_toml_file(tmp_path: Path) -> None:
    """`--config` is on every command that has settings."""
    file = tmp_path / "pop.toml"
    file.write_text("retries = 9\n", encoding="utf-8")

    assert _settings("--config", str(file), names=("gstv_url",)).retries == 9


def test_wrong_flags_are_reported_with_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is not called."""
    monkeypatch.setenv("POP_STREAM_RETRIES", "x")

    with pytest.raises(SettingsError) as caught:
        _settings("--stages", "none", "--gstv-timeout-seconds", "0")

    assert [problem.split()[0] for problem in caught.value.problems] == [
        "--gstv-timeout-seconds",
        "--stages",
        "POP_STREAM_RETRIES",
    ]


def test_a_prefix_stands_for_all_that_begin_with_it() -> None:
    """In the order of their definition, each once."""
    names = [setting.name for setting in expand(("gstv_url", "gstv_", "retries"))]

    assert names == [name for name in SETTINGS if name.startswith("gstv_") or name == "retries"]


@pytest.mark.parametrize("name", ["gstv", "gstv_ur", "nothing_", "GSTV_URL"])
def test_a_name_that_is_no_setting_is_a_mistake_in_the_program(name: str) -> None:
    """It is found when the command is defined."""
    with pytest.raises(ValueError, match=name):
        with_settings("retries", name)


def test_help_tells_what_a_setting_is_its_default_and_its_variable() -> None:
    """All from the setting's own definition."""

    @click.command()
    @with_settings("retries")
    def command(*, settings: Settings) -> None:
        del settings

    output = " ".join(CliRunner().invoke(command, ["--help"]).output.split())

    assert f"--retries NUMBER {SETTINGS['retries'].description}" in output
    assert "Defaults to 3. [POP_STREAM_RETRIES]" in output
