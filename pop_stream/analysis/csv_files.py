"""Writes CSV that a spreadsheet takes as the texts they are."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pop_stream.analysis.csv_cell import formula_safe
from pop_stream.errors import WorkFailedError

WriteRow = Callable[[str, Sequence[object]], None]


@contextmanager
def csv_files(folder: Path, headers: Mapping[str, Sequence[str]]) -> Iterator[WriteRow]:
    """Give a function that adds a row to one of the files `<name>.csv` in a folder.

    The folder is made; files that are there are written anew. Raises WorkFailedError when they
    cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            writers = {}
            for name, header in headers.items():
                path = folder / f"{name}.csv"
                file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
                writers[name] = csv.writer(file)
                writers[name].writerow(header)
            yield lambda name, row: _write(writers[name].writerow, row)
    except OSError as error:
        raise WorkFailedError(f"{folder}: cannot be written ({error.strerror})") from error


def _write(writerow: Callable[[Sequence[str]], object], row: Sequence[object]) -> None:
    writerow([formula_safe("" if value is None else str(value)) for value in row])
