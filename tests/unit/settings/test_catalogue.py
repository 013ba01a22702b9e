import pytest

from pop_stream.settings import SECTIONS, SETTINGS, Setting, Settings

every_setting = pytest.mark.parametrize(
    "setting", SETTINGS.values(), ids=lambda setting: setting.name
)


def test_every_setting_is_in_one_section() -> None:
    """Nothing is left out of flags and documentation."""
    names = [name for section in SECTIONS for name in section.model_fields]

    assert sorted(names) == sorted(Settings.model_fields)
    assert list(SETTINGS) == names


@every_setting
def test_every_setting_is_described(setting: Setting) -> None:
    """In sentences, on one line, and without its default, which is added."""
    assert setting.description.endswith(".")
    assert setting.description[0] == setting.description[0].upper() or ": " in setting.description
    assert "\n" not in setting.description
    assert "default" not in setting.description.lower()


@every_setting
def test_a_setting_that_may_be_none_says_what_none_means(setting: Setting) -> None:
    """But for users and secrets, whose need another setting decides."""
    decided = "sasl" in setting.name or setting.name.startswith(("gstv_auth_", "gstv_oauth_"))
    if setting.default is None and not decided:
        assert "none: " in setting.description


@every_setting
def test_a_numbers_name_tells_its_unit(setting: Setting) -> None:
    """A bare number is a count, a port, or has its unit in its name."""
    if setting.kind.metavar == "SECONDS":
        assert setting.name.endswith("_seconds")
    if setting.kind.metavar == "NUMBER":
        assert setting.name.endswith(("_bytes", "_events", "_in_flight", "_port", "retries"))


def test_values_are_shown_as_they_are_given() -> None:
    """Lists with commas, numbers without a needless fraction."""
    assert SETTINGS["stages"].show(("forward", "retry")) == "forward,retry"
    assert SETTINGS["retry_backoff_seconds"].show((1.0, 0.5)) == "1,0.5"
    assert SETTINGS["gstv_allow_plaintext"].show(True) == "true"
    assert SETTINGS["gstv_url"].show(None) == "none"
    assert SETTINGS["kafka_sasl_password"].show("tulip") == "********"
