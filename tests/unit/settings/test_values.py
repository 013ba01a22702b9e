import pytest

from pop_stream.errors import SettingsError
from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.settings import (
    SETTINGS,
    Settings,
    is_loopback,
    load_settings,
    parse_bootstrap_servers,
    parse_statuses,
)
from pop_stream.settings.values import parse_waits


def _load(name: str, value: str) -> object:
    setting = SETTINGS[name]
    return getattr(load_settings({setting.variable: value}, dotenv=None), name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200", {200}),
        ("200-202", {200, 201, 202}),
        (" 409 , 200-201 ", {200, 201, 409}),
        ("599", {599}),
        ("302", {302}),
    ],
)
def test_statuses_and_ranges_are_read(text: str, expected: set[int]) -> None:
    """`200-299,409` means what people think it means."""
    assert parse_statuses(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h,6h,24h", (3600, 21_600, 86_400)),
        (" 90s , 30m,2d ", (90, 1800, 172_800)),
        ("365d", (31_536_000,)),
        ("off", ()),
    ],
)
def test_waits_are_read(text: str, expected: tuple[int, ...]) -> None:
    """Each wait has its unit; `off` is none."""
    assert parse_waits(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", ",", "1h,", "1", "h", "0s", "-1h", "1.5h", "1w", "366d", "1h,off", "OFF", "\u0661h"],
)
def test_no_other_waits_are_read(text: str) -> None:
    """The message says how they are written."""
    with pytest.raises(ValueError, match="must be off, or waits of at most 365d"):
        parse_waits(text)
    with pytest.raises(SettingsError):
        _load("auto_redrive", text)


@pytest.mark.parametrize(
    "text",
    ["", ",", "200,", "2xx", "20", "199", "600", "299-200", "200-", "-200", "200-600", "٢٠٠"],
)
def test_no_other_statuses_are_read(text: str) -> None:
    """A status that GSTV cannot answer is a mistake."""
    with pytest.raises(ValueError, match="must be statuses"):
        parse_statuses(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kafka", [("kafka", 9092)]),
        ("kafka:1", [("kafka", 1)]),
        ("a.example.com:9093, 10.0.0.1:9094", [("a.example.com", 9093), ("10.0.0.1", 9094)]),
        ("[::1]:9092", [("::1", 9092)]),
        ("[fe80::1],b:2", [("fe80::1", 9092), ("b", 2)]),
    ],
)
def test_bootstrap_servers_are_read(text: str, expected: list[tuple[str, int]]) -> None:
    """Names, IPv4 and bracketed IPv6, with or without a port."""
    assert list(parse_bootstrap_servers(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":9092",
        "a:",
        "a:0",
        "a:65536",
        "a:x",
        "a:-1",
        "a,,b",
        "a b",
        "::1",
        "::1:9092",
        "[::1",
        "[::1]9092",
        "[kafka]:1",
        "[fe80::1%eth0]:1",
        "http://a:1",
        "PLAINTEXT://a:1",
        "user@a:1",
        "a:1/",
        "-a:1",
        "a" * 64,
    ],
)
def test_no_other_bootstrap_servers_are_read(text: str) -> None:
    """What the client would misread is a mistake."""
    with pytest.raises(ValueError, match="host:port"):
        parse_bootstrap_servers(text)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"],
)
def test_loopback_is_this_machine(host: str) -> None:
    """Names and addresses that never leave the machine."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        "::",
        "10.0.0.1",
        "localhost.example.com",
        "127.0.0.1.nip.io",
        "127.1",
        "kafka",
    ],
)
def test_everything_else_may_be_elsewhere(host: str) -> None:
    """What only looks like this machine is not trusted."""
    assert not is_loopback(host)


GOOD_URLS = [
    "https://gstv.example",
    "https://gstv.example/",
    "https://gstv.example:8443/v1/pops?site=1&x=%20",
    "https://9.9.9.9/pops",
    "https://[2620:fe::9]:8443/pops",
    "http://127.0.0.1:8080/pops",
    "http://[::1]:8080/pops",
    "http://localhost",
    "https://bücher.example/pops",
    "https://gstv.example./pops",
]
BAD_URLS = [
    "gstv.example",
    "//gstv.example",
    "ftp://gstv.example",
    "https:",
    "https://",
    "https:///pops",
    "https://:443/",
    "https://gstv.example:0/",
    "https://gstv.example:65536/",
    "https://gstv.example:port/",
    "https://user@gstv.example/",
    "https://user:word@gstv.example/",
    "https://@gstv.example/",
    "https://gstv.example/#",
    "https://gstv.example/#part",
    "https://gstv.example/ü",
    "https://gstv.example/a b",
    "https://gstv.example/a\tb",
    "https://gstv.example/a\r\nHost: x",
    " https://gstv.example",
    "https://gstv..example",
    "https://-gstv.example",
    "https://gs tv.example",
    "https://[::1",
    "https://[::1%25eth0]/",
    "https://[gstv]/",
    "https://" + "a" * 64,
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_a_url_that_can_be_posted_to_is_taken(url: str) -> None:
    """The settings and the client agree on what can be posted to."""
    parse_endpoint(url)

    assert _load("gstv_url", url) == url


def test_a_scheme_in_capitals_is_the_same_scheme() -> None:
    """Whoever asks whether a URL is https need not think of capitals."""
    assert _load("gstv_url", "HTTPS://GSTV.example/V1") == "https://GSTV.example/V1"


@pytest.mark.parametrize("url", BAD_URLS)
def test_no_other_url_is_taken(url: str) -> None:
    """What the client would refuse later is refused before anything starts."""
    with pytest.raises(ValueError, match="URL"):
        parse_endpoint(url)
    with pytest.raises(SettingsError):
        _load("gstv_url", url)


@pytest.mark.parametrize("name", ["a", "pop-events", "A.b_c-9", "a" * 249])
def test_a_topics_name_is_taken(name: str) -> None:
    """What Kafka takes."""
    assert _load("events_topic", name) == name


@pytest.mark.parametrize(
    "name", [" ", "a b", "a/b", ".", "..", "ä", "a" * 250, "__consumer_offsets"]
)
def test_no_other_topics_name_is_taken(name: str) -> None:
    """What Kafka refuses, and what it keeps for itself."""
    with pytest.raises(SettingsError):
        _load("events_topic", name)


NUMBERS = [
    name for name, field in Settings.model_fields.items() if field.annotation in (int, float)
]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "-inf", "1e400", "one", " ", "1 2", "0x10"])
def test_no_number_may_be_negative_or_no_number(name: str, value: str) -> None:
    """Each says within which bounds it must be, and repeats what was given."""
    with pytest.raises(SettingsError) as caught:
        _load(name, value)

    (problem,) = caught.value.problems
    assert f"must be {SETTINGS[name].kind.must_be}, not {value!r}" in problem


@pytest.mark.parametrize("name", [name for name in NUMBERS if name.endswith("_seconds")])
def test_no_time_may_be_zero(name: str) -> None:
    """A timeout of nothing means forever to some, and never to others."""
    with pytest.raises(SettingsError):
        _load(name, "0")


@pytest.mark.parametrize("value", ["1,,2", "-1", "1,nan", "1,inf", "86401", "1;2", ","])
def test_a_backoff_is_a_list_of_seconds(value: str) -> None:
    """One wrong wait makes one problem, which shows the whole list."""
    with pytest.raises(SettingsError) as caught:
        _load("retry_backoff_seconds", value)

    (problem,) = caught.value.problems
    assert problem.endswith(f"like 1,5,30, not {value!r}")


@pytest.mark.parametrize("value", ["forward,forward", "forward,", "Forward", "all", ","])
def test_stages_are_known_and_named_once(value: str) -> None:
    """A worker that does nothing, or something twice, is a mistake."""
    with pytest.raises(SettingsError):
        _load("stages", value)


@pytest.mark.parametrize("value", ["", " ", "a\nb", "a\x00", "\x1b[31m"])
@pytest.mark.parametrize("name", ["group", "notification_type", "metrics_host", "kafka_ssl_cafile"])
def test_text_has_no_control_characters(name: str, value: str) -> None:
    """Nothing that would garble a log line or a header."""
    with pytest.raises(SettingsError):
        _load(name, value)


def test_a_long_wrong_value_is_cut_in_the_message() -> None:
    """A file that was pasted into a variable does not fill the screen."""
    with pytest.raises(SettingsError) as caught:
        _load("retries", "x" * 10_000)

    assert len(str(caught.value)) < 300
