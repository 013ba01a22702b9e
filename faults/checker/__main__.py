"""`python -m faults.checker FOLDER ...`: judge runs by their evidence.

Exit codes: 0 all checks ok, 1 a check failed, 2 wrong use, or evidence that cannot be read.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from faults.checker.judge import judge
from faults.checker.report import as_object, as_text
from faults.evidence import Evidence, read_evidence


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge each folder; the exit code."""
    options = _parser().parse_args(arguments)
    exit_code = 0
    objects = []
    for folder in options.folders:
        evidence = _read(folder)
        if evidence is None:
            exit_code = 2
            continue
        findings = judge(evidence)
        if not all(finding.ok for finding in findings):
            exit_code = max(exit_code, 1)
        text = as_text(str(folder), evidence, findings)
        found = as_object(str(folder), evidence, findings)
        objects.append(found)
        if options.save:
            (folder / "report.txt").write_text(text, "utf-8")
            (folder / "report.json").write_text(json.dumps(found, indent=2), "utf-8")
        if not options.json:
            sys.stdout.write(text + "\n")
    if options.json:
        sys.stdout.write(json.dumps(objects, indent=2) + "\n")
    return exit_code


def _read(folder: Path) -> Evidence | None:
    try:
        return read_evidence(folder)
    # A run.json that is no object, or has other names, shows itself by the last two.
    except (OSError, ValueError, TypeError, AttributeError) as error:
        sys.stderr.write(f"{folder}: the evidence cannot be read: {error}\n")
        return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m faults.checker", description="Judge runs of the fault suite."
    )
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path, help="a run's evidence")
    parser.add_argument("--json", action="store_true", help="write a JSON array, an object a run")
    parser.add_argument(
        "--save", action="store_true", help="also write report.txt and report.json in each folder"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
