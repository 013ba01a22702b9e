import io
import json
import logging
from collections.abc import Iterator

import pytest

from pop_stream.cli.logs import JsonFormatter, RepeatFilter, TextFormatter, configure_logging
from pop_stream.settings import Settings


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("pop_stream")
    before = (root.handlers, root.level, own.level)
    yield
    root.handlers = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def _record(
    name: str = "pop_stream.kafka", message: str = "kafka.ready", **extra: object
) -> logging.LogRecord:
    record = logging.makeLogRecord(
        {"name": name, "msg": message, "levelno": logging.INFO, "levelname": "INFO", **extra}
    )
    record.created = float(str(extra.get("created", 1_767_225_600.25)))
    return record


def test_json_has_time_level_logger_event_and_fields() -> None:
    """One object a line; times are UTC."""
    line = JsonFormatter().format(_record(port=9092, host="a\nb"))

    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "INFO",
        "logger": "pop_stream.kafka",
        "event": "kafka.ready",
        "port": 9092,
        "host": "a\nb",
    }


def test_text_has_the_same_on_one_line() -> None:
    """A value that would break the line is quoted."""
    line = TextFormatter().format(_record(message="a\nb", port=9092, host="a\nb", why="no way"))

    assert line == (
        '2026-01-01T00:00:00.250Z INFO pop_stream.kafka: a\\nb port=9092 host="a\\nb" why="no way"'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1}, b"x", "\ud800", object()])
def test_json_takes_any_value(value: object) -> None:
    """A log line is never lost for what stands in it, and stays JSON."""

    def refuse(constant: str) -> object:
        raise AssertionError(constant)

    json.loads(JsonFormatter().format(_record(value=value)), parse_constant=refuse)


def test_a_field_does_not_replace_what_every_line_has() -> None:
    """A field that is called `level` is told apart."""
    line = json.loads(JsonFormatter().format(_record(level="high")))

    assert (line["level"], line["level_"]) == ("INFO", "high")


def test_long_text_is_cut() -> None:
    """Nothing that came from outside fills the log."""
    line = JsonFormatter().format(_record(message="x" * 100_000, why="y" * 100_000))

    assert len(line) < 5000


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_an_exception_keeps_its_traceback(formatter: logging.Formatter) -> None:
    """Where it happened matters more than that it did."""
    with pytest.raises(KeyError) as caught:
        dict[str, str]().pop("tulip")
    record = _record()
    record.exc_info = (caught.type, caught.value, caught.tb)

    assert "KeyError: 'tulip'" in formatter.format(record)


@pytest.mark.parametrize(
    ("log_format", "stream", "as_json"),
    [
        ("auto", io.StringIO, True),
        ("auto", _Terminal, False),
        ("json", _Terminal, True),
        ("text", io.StringIO, False),
    ],
)
def test_the_format_follows_the_setting_and_the_terminal(
    log_format: str, stream: type[io.StringIO], *, as_json: bool
) -> None:
    """Text for people, JSON for programs, unless told otherwise."""
    out = stream()
    configure_logging(Settings.model_validate({"log_format": log_format}), out)
    logging.getLogger("pop_stream.x").info("a.b")

    assert out.getvalue().startswith("{") is as_json


@pytest.mark.parametrize(
    ("level", "own", "theirs"),
    [
        ("DEBUG", "DEBUG", "INFO"),
        ("INFO", "INFO", "WARNING"),
        ("WARNING", "WARNING", "WARNING"),
        ("ERROR", "ERROR", "ERROR"),
    ],
)
def test_libraries_log_less_than_we_do(level: str, own: str, theirs: str) -> None:
    """Above all never at DEBUG, where they write whole requests with what is in them."""
    out = io.StringIO()
    configure_logging(Settings.model_validate({"log_level": level}), out)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger("pop_stream.x").log(number, "own")
        logging.getLogger("aiokafka.conn").log(number, "theirs")

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    least = {
        event: next(line["level"] for line in lines if line["event"] == event)
        for event in ("own", "theirs")
    }
    assert least == {"own": own, "theirs": theirs}


def test_logging_can_be_set_up_twice() -> None:
    """The second time replaces the first."""
    first, second = io.StringIO(), io.StringIO()
    configure_logging(Settings(), first)
    configure_logging(Settings(), second)
    logging.getLogger("pop_stream.x").info("a.b")

    assert (first.getvalue(), len(second.getvalue().splitlines())) == ("", 1)


def _passed(records: list[logging.LogRecord]) -> list[tuple[float, object]]:
    repeats = RepeatFilter()
    return [
        (record.created, getattr(record, "repeated", None))
        for record in records
        if repeats.filter(record)
    ]


def test_what_a_library_repeats_passes_every_ten_seconds_with_a_count() -> None:
    """One of a thousand lines says as much."""
    records = [
        _record("aiokafka.conn", "Unable connect to %s", args=(second,), created=second / 100)
        for second in range(2500)
    ]

    assert _passed(records) == [(0.0, None), (10.0, 999), (20.0, 999)]


def test_messages_that_differ_in_digits_are_the_same() -> None:
    """Some libraries put their numbers into the message itself."""
    records = [
        _record("aiokafka.conn", f"Node {number} is away", created=number) for number in range(5)
    ]

    assert _passed(records) == [(0.0, None)]


def test_messages_that_differ_pass() -> None:
    """By logger, by level or by words."""
    records = [
        _record("aiokafka.conn", "away"),
        _record("aiokafka.client", "away"),
        _record("aiokafka.conn", "gone"),
        _record("aiokafka.conn", "away", levelno=logging.ERROR),
    ]

    assert len(_passed(records)) == 4


def test_our_own_records_all_pass() -> None:
    """What we say often is thinned where it is said."""
    assert len(_passed([_record() for _ in range(5)])) == 5


def test_a_library_with_ever_new_messages_does_not_fill_the_memory() -> None:
    """The oldest are forgotten."""
    repeats = RepeatFilter()
    letters = "abcdefghij"
    for number in range(5000):
        words = "".join(letters[int(digit)] for digit in str(number))
        assert repeats.filter(_record("faust", words))

    assert len(repeats._seen) <= 1024
