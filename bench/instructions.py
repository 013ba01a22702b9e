"""`python -m bench.instructions`: count what an event costs the worker's own code.

Instructions are counted by valgrind, and so are the same on a busy machine as on a quiet one. They
differ from one build of Python to another; so they are told as a multiple of those of a piece of
Python that never changes, counted in the same way. What the kernel does, and memory that is not in
the processor's cache, is not seen by this: `make bench` sees it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import orjson

from pop_stream.errors import PopStreamError, WorkFailedError

KEPT = Path(__file__).parent / "results" / "instructions.json"
#: Worse than the kept figure by more than this share, the check fails.
ALLOWED = 0.15

#: What is counted is the difference: it leaves out all that begins and ends a process.
_FEW, _MANY = 2_000, 12_000
_counted = re.compile(r"Collected : (\d+)").search


@click.command()
@click.option("--check", is_flag=True, help=f"Fail when it is worse by more than {ALLOWED:.0%}.")
@click.option("--keep", is_flag=True, help="Keep it as what later ones are compared with.")
def main(*, check: bool, keep: bool) -> None:
    """Count what an event costs the worker's own code, in instructions.

    Example: python -m bench.instructions --check
    """
    if check and shutil.which("valgrind") is None and not os.environ.get("CI"):
        click.echo("not checked: there is no valgrind here; in CI this would fail", err=True)
        return
    event, reference = count((), ("--reference",))
    times = event / reference
    click.echo(f"{event:,.0f} instructions an event, {times:.2f} times those of the reference")
    if check:
        compare(times, orjson.loads(KEPT.read_bytes())["times_reference"])
    if keep:
        found = {
            "instructions_per_event": round(event),
            "reference": round(reference),
            "times_reference": round(times, 3),
            "python": sys.version,
        }
        KEPT.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
        click.echo(f"kept in {KEPT}", err=True)


def compare(times: float, kept: float) -> None:
    """Raises WorkFailedError when it is worse than what was kept by more than is allowed."""
    more = times / kept - 1
    if more > ALLOWED:
        raise WorkFailedError(
            f"an event costs {more:.0%} more than the {kept:.2f} that were kept; allowed are "
            f"{ALLOWED:.0%}. Make it cheaper; or say in the commit why it is worth it, and keep "
            "the new figure: python -m bench.instructions --keep"
        )
    click.echo(f"{more:+.1%} against the {kept:.2f} that were kept: well", err=True)


def count(*arguments: Sequence[str]) -> list[float]:
    """The instructions of one event, or of what else the arguments of the hot path ask for.

    Raises WorkFailedError when a run fails, or there is no valgrind.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise WorkFailedError("there is no valgrind: install it (Debian's package is valgrind)")
    asked = [(number, each) for each in arguments for number in (_FEW, _MANY)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda one: _count_once(valgrind, *one), asked))
    pairs = zip(found[::2], found[1::2], strict=True)
    return [(many - few) / (_MANY - _FEW) for few, many in pairs]


def _count_once(valgrind: str, number: int, more: Sequence[str]) -> int:
    ran = subprocess.run(
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m",
         "bench.hot_path", str(number), *more],
        cwd=Path(__file__).parent.parent,
        # Neither the order of sets nor what is compiled anew may differ from run to run.
        env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    counted = _counted(ran.stderr)
    if ran.returncode or counted is None:
        raise WorkFailedError(f"the hot path failed under valgrind:\n{ran.stderr[-2000:]}")
    return int(counted[1])


if __name__ == "__main__":
    try:
        main()
    except PopStreamError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
