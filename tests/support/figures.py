"""Figures that a test finds and that people may want to see: `pytest -rP` or `pytest -s`."""


def show(text: str) -> None:
    """Print one line."""
    print(text)  # noqa: T201 - pytest keeps it with the test's report
