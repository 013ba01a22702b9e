import io
from dataclasses import replace

from rich.console import Console

from pop_stream.demo.screen import Screen
from pop_stream.demo.svg import save_svg
from pop_stream.demo.view import picture
from tests.unit.demo.test_view import COUNTS, SNAPSHOT


def console(*, terminal):
    """Make a console that remembers what is written."""
    return Console(file=io.StringIO(), force_terminal=terminal, width=90, height=40)


def moment(settled, waiting):
    """Make a moment of a run of 1,007 events."""
    return replace(SNAPSHOT, counts=replace(COUNTS, settled=settled, waiting=waiting))


def test_without_a_terminal_there_are_plain_lines():
    """A log gets lines without control characters, the last moment included."""
    out = console(terminal=False)
    with Screen(out) as screen:
        screen.say("starting Apache Kafka")
        screen.show(moment(1, 1))
        screen.show(moment(1007, 0))
    text = out.file.getvalue()

    assert "\x1b" not in text
    assert text.startswith("starting Apache Kafka\n")
    assert text.splitlines()[-1].endswith("done 1,007 of 1,007")


def test_a_run_that_stands_still_fills_no_log(monkeypatch):
    """Where nothing changes, no line is added, however long it takes."""
    out = console(terminal=False)
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("pop_stream.demo.screen.time.monotonic", lambda: next(clock))
    with Screen(out) as screen:
        for _ in range(50):
            screen.show(moment(1, 1))

        assert len(out.file.getvalue().splitlines()) == 1


def test_on_a_terminal_the_picture_stays():
    """The last picture is left on the screen when the run ends."""
    out = console(terminal=True)
    with Screen(out) as screen:
        screen.show(moment(1007, 0))

    assert "pop-events-failure" in out.file.getvalue()


def test_a_download_is_shown_in_tenths():
    """Without a terminal, a line for each tenth is enough."""
    out = console(terminal=False)
    with Screen(out) as screen:
        for done in range(101):
            screen.downloading(done * 1_000_000, 100_000_000)

    assert out.file.getvalue().count("fetching Apache Kafka") == 10
    assert "100 of 100 MB (100 %)" in out.file.getvalue()


def test_the_best_moment_is_late_and_busy():
    """For the picture of a run: past half-way, with the most events waiting."""
    with Screen(console(terminal=False)) as screen:
        for settled, waiting in ((10, 90), (600, 20), (800, 30), (1007, 0)):
            screen.show(moment(settled, waiting))

        assert screen.best == moment(800, 30)


def test_a_picture_can_be_saved(tmp_path):
    """The SVG holds the stations, and needs nothing from a server."""
    path = tmp_path / "demo.svg"
    save_svg(path, picture(SNAPSHOT))
    svg = path.read_text()

    assert svg.startswith("<svg")
    assert "pop-events-retry" in svg
    assert "font-face" not in svg
