"""Asks whether anything that is locked has a known hole: `python -m release.audit`.

pip-audit asks, of the package index and where that cannot tell, of OSV. Left to itself it passes
where nobody could answer; here that has failed, and so has a package that was not asked about.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from release.pins import LOCKS, ROOT, Pin, read_pins

#: Of one request to a service.
_TIMEOUT_SECONDS = 15

NO_HOLES, HOLES, NOT_ASKED = 0, 1, 3
_REMEDY = """\
Where none of them can tell, nothing is known of the holes of what is locked.
Run it where one can be reached, or name a copy of OSV that you have:
  make audit ARGS="--osv-url https://osv.example.com/v1/query"
What is too old by what was known before, `make test` tells without a network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Who is asked: the flags of pip-audit, and the name for people."""

    name: str
    flags: tuple[str, ...]


def services(osv_url: str | None) -> tuple[Service, ...]:
    """Give those to ask, the next where one cannot tell; with an address, only that one."""
    if osv_url is not None:
        flags = ("--vulnerability-service", "osv", "--osv-url", osv_url)
        return (Service(name=osv_url, flags=flags),)
    return (
        Service(name="the package index's JSON API", flags=("--vulnerability-service", "pypi")),
        Service(name="osv.dev", flags=("--vulnerability-service", "osv")),
    )


@dataclass(frozen=True, slots=True)
class Audited:
    """All of a lock was asked about: the holes that are known."""

    holes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A service could not tell, or not of everything."""

    why: str


def audit(lock: Path, service: Service, ignored: Sequence[str] = ()) -> Audited | Unanswered:
    """Ask a service about each package of a lock that is installed on this machine.

    `ignored` are the ids of holes that somebody has looked at.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--require-hashes",
            "--progress-spinner", "off", "--timeout", str(_TIMEOUT_SECONDS), *service.flags,
            *(f"--ignore-vuln={each}" for each in ignored),
            "--format", "json", "--output", str(report), "--requirement", str(lock),
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode not in (0, 1) or not report.exists():
            *_, last = run.stderr.strip().splitlines() or ["it said nothing"]
            return Unanswered(last)
        return judge(json.loads(report.read_text(encoding="utf-8")), read_pins(lock))


def judge(report: Any, pins: Sequence[Pin]) -> Audited | Unanswered:
    """Read a report of pip-audit: did it ask about all, and what did it find."""
    answered = [each for each in report["dependencies"] if "skip_reason" not in each]
    asked = {(canonicalize_name(each["name"]), Version(each["version"])) for each in answered}
    missing = {(pin.name, Version(pin.version)) for pin in pins if pin.applies()} - asked
    if missing or not asked:
        names = ", ".join(sorted(name for name, _ in missing)) or "anything"
        return Unanswered(f"it was not asked about {names}")
    return Audited(tuple(_holes(answered)))


def _holes(answered: Sequence[Any]) -> Iterator[str]:
    for each in answered:
        for hole in each["vulns"]:
            names = ", ".join([hole["id"], *hole["aliases"]])
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            yield f"{each['name']} {each['version']}: {names}; mended in {mended}"


def audit_all(locks: Sequence[Path], asked: Sequence[Service], ignored: Sequence[str] = ()) -> int:
    """Audit locks and tell on stdout; returns 0: no holes, 1: holes, 3: it could not be told."""
    codes = [_audit_one(lock, asked, ignored) for lock in locks]
    if NOT_ASKED in codes:
        print(_REMEDY, file=sys.stderr)
    return max(codes)


def _audit_one(lock: Path, asked: Sequence[Service], ignored: Sequence[str]) -> int:
    name = lock.relative_to(ROOT) if lock.is_relative_to(ROOT) else lock
    for service in asked:
        answer = audit(lock, service, ignored)
        if isinstance(answer, Audited):
            print(f"{name}: {len(answer.holes)} known holes, by {service.name}")
            for hole in answer.holes:
                print(f"  {hole}")
            return HOLES if answer.holes else NO_HOLES
        print(f"{name}: {service.name} cannot tell: {answer.why}", file=sys.stderr)
    return NOT_ASKED


def main(argv: Sequence[str] | None = None) -> int:
    """Audit every lock, or those that are named."""
    parser = argparse.ArgumentParser(
        prog="python -m release.audit",
        description="Ask whether anything that is locked has a known hole.",
    )
    parser.add_argument("locks", nargs="*", type=Path, help="lock files; without: all there are")
    parser.add_argument("--osv-url", help="a service that speaks OSV's protocol, to ask alone")
    parser.add_argument(
        "--ignore-vuln", action="append", default=[], metavar="ID", help="a hole that you know of"
    )
    options = parser.parse_args(argv)
    return audit_all(options.locks or LOCKS, services(options.osv_url), options.ignore_vuln)


if __name__ == "__main__":
    sys.exit(main())
