import io
import json
from contextlib import redirect_stdout

import click
import pytest

from pop_stream.cli.output import print_json, print_table


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_on_a_terminal_has_a_header() -> None:
    """What looks like markup is only text."""
    with redirect_stdout(_Terminal()) as terminal:
        print_table(("name", "value"), [("a", "[bold]b")])

    assert [line.split() for line in click.unstyle(terminal.getvalue()).splitlines()] == [
        ["name", "value"],
        ["a", "[bold]b"],
    ]


def test_a_table_in_a_pipe_has_tabs_and_no_header(capsys: pytest.CaptureFixture[str]) -> None:
    """So that the first line is data, too."""
    print_table(("name", "value"), [("a", "[bold]b")])

    assert capsys.readouterr().out == "a\t[bold]b\n"


def test_json_is_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """And the same value."""
    print_json({"a": [1, None]})
    out = capsys.readouterr().out

    assert out.count("\n") == 1
    assert json.loads(out) == {"a": [1, None]}


def test_json_on_a_terminal_is_indented() -> None:
    """For eyes."""
    with redirect_stdout(_Terminal()) as terminal:
        print_json({"a": 1})

    assert terminal.getvalue() == '{\n  "a": 1\n}\n'
