"""Run many schedules: python -m tests.simulation --schedules 10000000 --seed 0 --jobs 2."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.clock import virtual_time
from tests.simulation.driver import EXPECTED, trace_of
from tests.simulation.hunters import hunt_all

_TELL_SECONDS = 10.0


def main() -> int:
    """Return 0 if every schedule held what the core promises."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes (2)")
    parser.add_argument("--trace", action="store_true", help="only print the steps of --seed")
    options = parser.parse_args()
    if options.trace:
        _tell_trace(options.seed)
        return 0

    began = told = time.monotonic()

    def progress(passed: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _TELL_SECONDS:
            told = now
            _say(f"{passed:,} schedules, {passed / (now - began):,.0f} a second")

    found, fired = hunt_all(options.seed, options.schedules, jobs=options.jobs, progress=progress)
    seconds = time.monotonic() - began
    passed = fired["schedules"]
    _say(f"{passed:,} schedules passed in {seconds:,.1f} s, {passed / seconds:,.0f} a second")
    _tell_counts(fired)
    for each in found:
        _say(f"\nseed {each.seed}: {each.what}")
    if found:
        _tell_trace(found[0].seed)
        _say("keep these seeds in tests/simulation/seeds.py")
        return 1
    return 0


def _tell_counts(fired: Counter[str]) -> None:
    for name in sorted(fired.keys() | set(EXPECTED)):
        _say(f"  {name:<32}{fired[name]:>14,}")


def _tell_trace(seed: int) -> None:
    with virtual_time():
        _say("\n".join(trace_of(seed)))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
