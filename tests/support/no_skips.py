"""A test that needs Kafka, a browser, promtool or Alertmanager and is skipped in CI has failed.

It would prove nothing, unseen.
"""

import os
from collections.abc import Generator

import pytest

#: The marks of tests that need what not everybody has.
MARKS = ("kafka", "browser", "promtool", "alertmanager")
MESSAGE = (
    "a test that needs Kafka, a browser, promtool or Alertmanager must not be skipped in CI; "
    "it said:"
)


class NoSkippedTests:
    """Turns skips of tests that are marked with what they need into failures."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Look at each report of each phase of each test."""
        report = yield
        expected_failure = hasattr(report, "wasxfail")
        is_marked = any(map(item.get_closest_marker, MARKS))
        if report.skipped and not expected_failure and is_marked:
            report.outcome = "failed"
            report.longrepr = f"{MESSAGE} {report.longrepr}"
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Look at each module; one that is skipped as a whole does not show its marks."""
        report = yield
        if report.skipped:
            report.outcome = "failed"
            report.longrepr = f"{MESSAGE} {report.longrepr}"
        return report


def pytest_configure(config: pytest.Config) -> None:
    """Watch in CI only; elsewhere people may skip what they like."""
    if os.environ.get("CI"):
        config.pluginmanager.register(NoSkippedTests())
