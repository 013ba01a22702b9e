"""How far a work on an outbox is, on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def telling(label: str) -> Iterator[Callable[[int, int], None]]:
    """Give what is to be called with what is done, and of how much; draws on a terminal only."""
    with click.progressbar(
        length=0, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        reached = 0

        def told(done: int, total: int) -> None:
            nonlocal reached
            bar.length = max(total, 1)
            bar.update(done - reached)
            reached = done

        yield told
