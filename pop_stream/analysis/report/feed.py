"""Gives records to a survey: those of topics, or those of files that were written of topics."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

from pop_stream.analysis.batches import Glance
from pop_stream.analysis.from_object import from_line
from pop_stream.analysis.lines import lines_of
from pop_stream.analysis.report.report import Source
from pop_stream.analysis.report.survey import Survey
from pop_stream.analysis.scan import Progress, Topics
from pop_stream.analysis.selection import Selection
from pop_stream.errors import UsageError, WorkFailedError, why
from pop_stream.settings import Settings

Told = Callable[[Progress], None]

#: By these a screen is meant with all its plays, or not at all.
_OF_WHOLE_SCREENS: Final = frozenset(("siteId", "screenId", "key"))
_LINES_AT_ONCE: Final = 2000
STDIN: Final = "-"


class _PassedOver:
    """A glance that counts what it passes over: a report accounts for every record."""

    def __init__(self, glance: Glance) -> None:
        self._value = glance.value
        self.count = 0

    def value(self, value: bytes | None) -> bool:
        """Look at one."""
        if self._value(value):
            return True
        self.count += 1
        return False

    @property
    def glance(self) -> Glance:
        """As a scan takes it: every record is looked at by itself, and so counted."""
        return Glance(self.value, None)


def survey_topics(
    settings: Settings,
    topics: Sequence[str],
    selection: Selection,
    survey: Survey,
    told: Told,
) -> Source:
    """Read topics up to where they end now. Raises what `Topics` does."""
    # The period is the survey's matter: what has no readable time must not be passed over.
    meant = replace(selection, played=None)
    given = meant.glance()
    passed_over = None if given is None else _PassedOver(given)
    glance = None if passed_over is None else passed_over.glance
    test, not_meant = meant.test(), 0
    with Topics(settings) as reader:
        spans = reader.spans(topics, meant.stored)
        for events in reader.read(spans, wants=glance, progress=told):
            for event in events:
                if test(event):
                    survey.add(event)
                else:
                    not_meant += 1
    return Source(
        name=", ".join(topics),
        places=sum(span.end - span.begin for span in spans),
        not_meant=not_meant + (0 if passed_over is None else passed_over.count),
    )


def survey_files(
    settings: Settings,
    names: Sequence[str],
    selection: Selection,
    survey: Survey,
    told: Told,
) -> Source:
    """Read files of one record a line, as `events search --json` writes them; `-` is stdin.

    Raises WorkFailedError when one cannot be read to its end, UsageError when it has no lines.
    """
    ours = frozenset((settings.retry_topic, settings.failure_topic, settings.notification_topic,
                      settings.settled_topic))  # fmt: skip
    test = replace(selection, played=None).test()
    lines = not_meant = 0
    for line in _lines(names, told):
        lines += 1
        if not line.strip():
            continue
        event = from_line(line, ours=ours)
        if event is None:
            survey.add_line_without_record()
        elif test(event):
            survey.add(event)
        else:
            not_meant += 1
    return Source(name=", ".join(names), places=lines, not_meant=not_meant, unit="lines")


def require_files(names: Sequence[str]) -> None:
    """Raises UsageError when one of them is no file that can be opened."""
    for name in names:
        if name == STDIN:
            continue
        try:
            with Path(name).open("rb"):
                pass
        except OSError as error:
            raise UsageError(f"--from {name}: cannot be read ({error.strerror})") from error


def _lines(names: Sequence[str], told: Told) -> Iterator[bytes]:
    sizes = [0 if name == STDIN else Path(name).stat().st_size for name in names]
    total, done = sum(sizes), 0
    for name in names:
        try:
            with _opened(name) as file:
                for number, line in enumerate(lines_of(file, name)):
                    done += len(line)
                    if number % _LINES_AT_ONCE == 0:
                        told(Progress(done, max(total, done)))
                    yield line
        except OSError as error:
            raise WorkFailedError(f"{name}: cannot be read to its end ({why(error)})") from error
    told(Progress(done, done))


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == STDIN:
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file


def why_partial(selection: Selection, topics: Sequence[str], events_topic: str) -> str | None:
    """Why gaps and completeness cannot be told; None: nothing stands against it.

    No topics: files were read.
    """
    if selection.pop_ids is not None or any(
        each.name not in _OF_WHOLE_SCREENS for each in selection.conditions
    ):
        return "the selection leaves out some plays of a screen"
    if topics and events_topic not in topics:
        return f"not every play is on {', '.join(topics)}"
    return None
