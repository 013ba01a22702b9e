import pytest

CONFTEST = """
pytest_plugins = ["tests.support.no_skips"]

def pytest_configure(config):
    config.addinivalue_line("markers", "kafka: needs Kafka")
    config.addinivalue_line("markers", "browser: needs a browser")
    config.addinivalue_line("markers", "promtool: needs promtool")
    config.addinivalue_line("markers", "alertmanager: needs Alertmanager")
"""
SKIPPED = "import pytest\n\n"


@pytest.fixture
def run_in(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run a test file in an environment with this value of CI."""

    def run(ci: str | None, source: str) -> pytest.RunResult:
        if ci is None:
            monkeypatch.delenv("CI", raising=False)
        else:
            monkeypatch.setenv("CI", ci)
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(SKIPPED + source)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider")

    return run


BY_MARK = '@pytest.mark.kafka\n@pytest.mark.skip(reason="no Kafka")\ndef test_it(): pass'
BY_CALL = '@pytest.mark.kafka\ndef test_it(): pytest.skip("no Kafka")'
BY_FIXTURE = (
    '@pytest.fixture\ndef server(): pytest.skip("no Kafka")\n'
    "@pytest.mark.kafka\ndef test_it(server): pass"
)
BY_MODULE = 'pytest.skip("no Kafka", allow_module_level=True)'


@pytest.mark.parametrize(
    "source", [BY_MARK, BY_CALL, BY_FIXTURE, BY_MODULE], ids=["mark", "call", "fixture", "module"]
)
def test_skipped_kafka_test_fails_in_ci(run_in, source: str) -> None:  # type: ignore[no-untyped-def]
    """However it is skipped, the run fails and says why."""
    result = run_in("true", source)

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*must not be skipped in CI*no Kafka*"])


def test_skipped_browser_test_fails_in_ci(run_in) -> None:  # type: ignore[no-untyped-def]
    """The page has to be seen by a real browser somewhere."""
    result = run_in("true", BY_CALL.replace("kafka", "browser").replace("Kafka", "browser"))

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*must not be skipped in CI*no browser*"])


@pytest.mark.parametrize("source", [BY_MARK, BY_CALL, BY_FIXTURE], ids=["mark", "call", "fixture"])
def test_elsewhere_it_may_be_skipped(run_in, source: str) -> None:  # type: ignore[no-untyped-def]
    """At one's own desk a skip is a skip."""
    run_in(None, source).assert_outcomes(skipped=1)


@pytest.mark.parametrize("tool", ["promtool", "alertmanager"])
def test_skipped_test_of_a_tool_fails_in_ci(run_in, tool: str) -> None:  # type: ignore[no-untyped-def]
    """Rules and dashboards that nobody read have not been checked."""
    result = run_in("true", BY_CALL.replace("kafka", tool).replace("Kafka", tool))

    assert result.ret != 0
    result.stdout.fnmatch_lines([f"*must not be skipped in CI*no {tool}*"])


def test_other_tests_may_be_skipped_in_ci(run_in) -> None:  # type: ignore[no-untyped-def]
    """A test that needs no Kafka may have its reasons."""
    run_in("true", '@pytest.mark.skip(reason="macOS")\ndef test_it(): pass').assert_outcomes(
        skipped=1
    )


def test_expected_failure_is_no_skip(run_in) -> None:  # type: ignore[no-untyped-def]
    """A test that is known to fail has run."""
    source = "@pytest.mark.kafka\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False"
    run_in("true", source).assert_outcomes(xfailed=1)
