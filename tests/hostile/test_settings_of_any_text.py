"""Whatever somebody puts where settings come from: settings, or what is wrong with them."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pop_stream.errors import SettingsError
from pop_stream.settings import SETTINGS
from pop_stream.settings.loading import load

CANARY = "hunter2-canary"
FUZZ = settings(
    derandomize=True, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ODD = ["", " ", "\0", "\n", "١٢", "1e999", "-0", "nan", "inf", "9" * 400, "0x10", "1_000", "true",
       "\ud800", "\u202e", "http://[", "http://[::1", "http://a:99999/", "https://u:p@h/", "[]:1",
       ":", ",", "a" * 100_000, "../../etc/passwd", "${HOME}", "{}", "200-", "500-200", "1s/2s",
       "http://\u2100.example/", "file:///etc/passwd", "%s%n", "\x1b[31m"]  # fmt: skip
TEXTS = st.sampled_from(ODD) | st.text(max_size=40) | st.from_regex(r"[-0-9.,:/smhd ]{0,20}")
NAMES = st.sampled_from(sorted(SETTINGS))
PLAIN = sorted(name for name, one in SETTINGS.items() if not one.secret)


def problems(**how: object) -> list[str]:
    """What is wrong with them; nothing when they are settings."""
    how = {"environ": {}, "dotenv": None, **how}
    try:
        load(**how)  # type: ignore[arg-type]
    except SettingsError as error:
        found = str(error).splitlines()
        assert found
        return found
    return []


@FUZZ
@given(values=st.dictionaries(NAMES, TEXTS, max_size=4))
def test_any_text_for_any_setting_is_taken_or_told_of(values: dict[str, str]) -> None:
    """From the environment; what is told is short enough for people."""
    environ = {SETTINGS[name].variable: text for name, text in values.items()}

    assert sum(map(len, problems(environ=environ))) < 20_000


@FUZZ
@given(name=NAMES, value=st.none() | st.booleans() | st.integers() | st.floats() | st.lists(
    st.integers() | TEXTS, max_size=3) | st.dictionaries(TEXTS, TEXTS, max_size=2))  # fmt: skip
def test_any_value_of_toml_for_any_setting_is_taken_or_told_of(name: str, value: object) -> None:
    """As a file or a program may give it."""
    problems(overrides={name: value})


TOML = st.lists(
    st.sampled_from(["retries", "=", "1", '"', "'", "\n", "[", "]", "{", "}", ".", "#", "gstv", "_",
                     "url", "1979-05-27", "inf", "\\u0000", "\r", "\x7f", '"""', "'''"])
    | st.text(max_size=3),
    max_size=12,
).map("".join)  # fmt: skip


@FUZZ
@given(text=TOML, more=st.binary(max_size=4))
@example(text="a=" + "[" * 50_000, more=b"")
@example(text="a=" + "{a=" * 50_000, more=b"")
@example(text="[" + "a." * 50_000 + "a]", more=b"")
@example(text="retries = " + "9" * 5_000, more=b"")
def test_any_file_is_read_or_told_of(text: str, more: bytes, tmp_path: Path) -> None:
    """As TOML and as `.env`, whatever is in it."""
    path = tmp_path / "file"
    path.write_bytes(text.encode(errors="surrogatepass") + more)

    problems(toml=path)
    problems(dotenv=path)


@pytest.mark.parametrize("name", PLAIN)
def test_an_url_with_a_password_in_a_wrong_place_is_not_repeated(name: str) -> None:
    """People paste such into any field, and the answer goes into a log."""
    long = f"{CANARY}-" * 20
    for url in (
        f"https://user:{CANARY}@gstv.example/pops?token={CANARY}",
        f"kafka://user:{long}@gstv.example",
    ):
        told = problems(environ={SETTINGS[name].variable: url})

        assert not [one for one in told if CANARY in one]
