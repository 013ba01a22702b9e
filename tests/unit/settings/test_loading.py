from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from pop_stream.errors import SettingsError
from pop_stream.settings import SETTINGS, Settings, load, load_settings, require


def _problems(
    environ: Mapping[str, str] | None = None,
    *,
    overrides: Mapping[str, object] | None = None,
    dotenv: Path | None = None,
    toml: Path | None = None,
) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ or {}, overrides=overrides or {}, dotenv=dotenv, toml=toml)
    return caught.value.problems


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_given_is_all_defaults() -> None:
    """Without any source, the settings are the defaults."""
    assert load_settings({}, dotenv=None) == Settings()


def test_the_first_source_wins(tmp_path: Path) -> None:
    """A flag beats the environment, which beats .env, which beats TOML, which beats the default."""
    toml = _written(tmp_path / "pop.toml", "retries = 1\n")
    dotenv = _written(tmp_path / ".env", "POP_STREAM_RETRIES=2\n")
    environ = {"POP_STREAM_RETRIES": "4"}
    overrides = {"retries": "5"}

    none: dict[str, str] = {}
    steps = [
        (load(none, dotenv=None), (3, "default")),
        (load(none, dotenv=None, toml=toml), (1, f"retries in {toml}")),
        (load(none, dotenv=dotenv, toml=toml), (2, f"POP_STREAM_RETRIES in {dotenv} line 1")),
        (
            load(environ, dotenv=dotenv, toml=toml),
            (4, "POP_STREAM_RETRIES in the environment"),
        ),
        (load(environ, overrides=overrides, dotenv=dotenv, toml=toml), (5, "--retries")),
    ]
    for loaded, expected in steps:
        given = loaded.given.get("retries")
        assert (loaded.settings.retries, given.label if given else "default") == expected


def test_every_default_can_be_given_as_text() -> None:
    """What is shown as a default is understood when it is given."""
    environ = {
        setting.variable: setting.show(setting.default)
        for setting in SETTINGS.values()
        if setting.default is not None
    }

    assert load_settings(environ, dotenv=None) == Settings()


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    """Wrong values, wrong names and broken rules of all sources are reported together."""
    toml = _written(tmp_path / "pop.toml", "[gstv]\nuri = 'https://gstv.example'\n")
    dotenv = _written(tmp_path / ".env", "what is this\nPOP_STREAM_GROUP=\n")
    environ = {"POP_STREAM_RETRIES": "-1", "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}

    found = _problems(environ, overrides={"stages": "forwards"}, dotenv=dotenv, toml=toml)

    clear = "POP_STREAM_KAFKA_SECURITY_PROTOCOL would speak to kafka without TLS: "
    assert [problem.removeprefix(clear) for problem in found] == [
        f"{dotenv} line 1 is not NAME=value: mend or drop it",
        f"gstv_uri in {toml} is no setting; the nearest is gstv_url: mend or drop it",
        "--stages must be one or more of forward, retry and failure, with commas, not 'forwards'",
        f"POP_STREAM_GROUP in {dotenv} line 2 is empty: give it a value, or drop it",
        "POP_STREAM_RETRIES in the environment must be a whole number from 0 to 100, not '-1'",
        "set it to SASL_SSL or SSL, or POP_STREAM_KAFKA_ALLOW_PLAINTEXT to true",
    ]


def test_a_shadowed_value_is_not_judged(tmp_path: Path) -> None:
    """A wrong value does no harm where a better source wins."""
    dotenv = _written(tmp_path / ".env", "POP_STREAM_RETRIES=many\n")

    assert load_settings({"POP_STREAM_RETRIES": "5"}, dotenv=dotenv).retries == 5


def test_a_rule_is_not_asked_about_values_that_are_wrong_already() -> None:
    """One mistake gives one problem."""
    environ = {
        "POP_STREAM_GSTV_URL": "http://gstv.example",
        "POP_STREAM_GSTV_ALLOW_PLAINTEXT": "perhaps",
    }

    assert len(_problems(environ)) == 1


def test_other_peoples_variables_are_no_business_of_ours(tmp_path: Path) -> None:
    """Names without the prefix, the tests' Kafka, and Kubernetes' Service links are passed over."""
    dotenv = _written(tmp_path / ".env", "DATABASE_URL=x\nPOP_STREAM_TEST_KAFKA=127.0.0.1:1\n")
    environ = {
        "PATH": "/bin",
        "POP_STREAM_TEST_KAFKA": "127.0.0.1:1",
        "POP_STREAM_SERVICE_HOST": "10.0.0.1",
        "POP_STREAM_SERVICE_PORT": "9108",
        "POP_STREAM_SERVICE_PORT_METRICS": "9108",
        "POP_STREAM_PORT": "tcp://10.0.0.1:9108",
        "POP_STREAM_PORT_9108_TCP": "tcp://10.0.0.1:9108",
        "POP_STREAM_PORT_9108_TCP_ADDR": "10.0.0.1",
        # Of a Service that is called pop-stream-metrics.
        "POP_STREAM_METRICS_PORT": "tcp://10.0.0.1:9108",
    }

    assert load_settings(environ, dotenv=dotenv) == Settings()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("POP_STREAM_GSTV_URI", "POP_STREAM_GSTV_URL"),
        ("POP_STREAM_RETRYS", "POP_STREAM_RETRIES"),
        ("pop_stream_group", "POP_STREAM_GROUP"),
        ("POP_STREAM_KAFKA_SASL_PASSWORD_FIEL", "POP_STREAM_KAFKA_SASL_PASSWORD_FILE"),
        ("POP_STREAM_WORKER_PORT", "POP_STREAM_METRICS_PORT"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_the_nearest(name: str, nearest: str) -> None:
    """A misspelt name never passes unseen; its value, which may be a secret, is not repeated."""
    (problem,) = _problems({name: "tulip"})

    assert problem.startswith(f"{name} in the environment is no setting")
    assert f"the nearest is {nearest}" in problem
    assert "tulip" not in problem


def test_an_unknown_override_is_a_mistake_in_the_program() -> None:
    """Code that misspells a setting's name fails at once."""
    with pytest.raises(KeyError):
        load_settings({}, overrides={"retrys": 1}, dotenv=None)


def test_dotenv_values_are_taken_literally(tmp_path: Path) -> None:
    """Comments, quotes and `export` are understood; a dollar sign in a value stays one."""
    dotenv = _written(
        tmp_path / ".env",
        "\n# a comment\nexport POP_STREAM_GROUP='a $HOME'  # why\nPOP_STREAM_RETRIES = 7\n",
    )

    loaded = load({}, dotenv=dotenv)

    assert (loaded.settings.group, loaded.settings.retries) == ("a $HOME", 7)
    assert loaded.given["group"].label == f"POP_STREAM_GROUP in {dotenv} line 3"


def test_a_dotenv_that_is_absent_or_a_folder_gives_nothing(tmp_path: Path) -> None:
    """Some people keep their virtual environment in a folder `.env`."""
    assert load_settings({}, dotenv=tmp_path / ".env") == Settings()
    assert load_settings({}, dotenv=tmp_path) == Settings()


def test_a_dotenv_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    """A file that cannot be read is not taken for an empty one."""
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"POP_STREAM_GROUP=\xff\n")

    assert _problems(dotenv=dotenv) == [f"{dotenv} cannot be read: it is not UTF-8"]


def test_a_name_that_stands_twice_is_a_problem(tmp_path: Path) -> None:
    """Which of two values was meant is not guessed."""
    dotenv = _written(tmp_path / ".env", "POP_STREAM_RETRIES=1\nPOP_STREAM_RETRIES=2\n")

    (problem,) = _problems(dotenv=dotenv)
    assert problem == (
        f"POP_STREAM_RETRIES in {dotenv} line 2 is given as "
        f"POP_STREAM_RETRIES in {dotenv} line 1, too: drop one"
    )


def test_toml_knows_tables_numbers_and_arrays(tmp_path: Path) -> None:
    """A TOML file may be flat or in tables, with its own kinds of values."""
    toml = _written(
        tmp_path / "pop.toml",
        'stages = ["forward", "retry"]\nretry_backoff_seconds = [1, 2.5]\nretries = 2\n'
        '[kafka]\nallow_plaintext = true\nbootstrap_servers = ["a:1", "b:2"]\n'
        '[gstv]\nurl = "https://gstv.example/pops"\ntimeout_seconds = 3\n',
    )

    settings = load_settings({}, dotenv=None, toml=toml)

    assert settings.stages == ("forward", "retry")
    assert settings.retry_backoff_seconds == (1.0, 2.5)
    assert settings.retries == 2
    assert settings.kafka_allow_plaintext
    assert settings.kafka_bootstrap_servers == "a:1,b:2"
    assert settings.gstv_url == "https://gstv.example/pops"
    assert settings.gstv_timeout_seconds == 3.0


def test_toml_gives_a_setting_once(tmp_path: Path) -> None:
    """The flat name and the table's are the same setting."""
    toml = _written(tmp_path / "pop.toml", 'gstv_url = "https://a.example"\n[gstv]\nurl = "x"\n')

    assert len(_problems(toml=toml)) == 1


@pytest.mark.parametrize("value", ["true", '"two"', "[1]x", "{ a = 1 }", "1979-05-27"])
def test_toml_of_the_wrong_kind_is_a_problem(tmp_path: Path, value: str) -> None:
    """A boolean is no number, a table is no value."""
    assert len(_problems(toml=_written(tmp_path / "pop.toml", f"retries = {value}\n"))) == 1


def test_the_environment_names_the_toml_file_and_a_flag_names_a_better_one(tmp_path: Path) -> None:
    """`--config` beats POP_STREAM_CONFIG, which .env may hold, too."""
    one = _written(tmp_path / "one.toml", "retries = 1\n")
    two = _written(tmp_path / "two.toml", "retries = 2\n")
    environ = {"POP_STREAM_CONFIG": str(one)}
    dotenv = _written(tmp_path / ".env", f"POP_STREAM_CONFIG={two}\n")

    assert load_settings(environ, dotenv=dotenv).retries == 1
    assert load_settings(environ, dotenv=None, toml=two).retries == 2
    assert load_settings({}, dotenv=dotenv).retries == 2


def test_an_empty_name_of_a_toml_file_is_a_problem() -> None:
    """Like any other empty value."""
    assert _problems({"POP_STREAM_CONFIG": ""}) == [
        "POP_STREAM_CONFIG in the environment is empty: give it a value, or drop it"
    ]


def test_settings_cannot_be_changed() -> None:
    """What was checked stays as it was checked."""
    with pytest.raises(ValidationError):
        Settings().retries = 5


def test_what_a_command_needs_is_reported_with_all_else() -> None:
    """A missing setting is one problem more, and says both ways to give it."""
    with pytest.raises(SettingsError) as caught:
        load({"POP_STREAM_RETRIES": "x"}, dotenv=None, required=("gstv_url",))

    assert len(caught.value.problems) == 2
    assert caught.value.problems[1] == (
        "POP_STREAM_GSTV_URL must be set for this command: set it, or give --gstv-url"
    )


def test_require_names_all_that_is_missing() -> None:
    """A secret that is missing has a file where others have a flag."""
    with pytest.raises(SettingsError) as caught:
        require(Settings(), "retries", "gstv_url", "kafka_sasl_password")

    assert [problem.split()[-1] for problem in caught.value.problems] == [
        "--gstv-url",
        "POP_STREAM_KAFKA_SASL_PASSWORD_FILE",
    ]
