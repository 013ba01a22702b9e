"""What is shown of a run that was judged."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from faults.checker.account import Account
from faults.checker.finding import Finding
from faults.evidence import Evidence

_HEADINGS = ("check", "", "measured", "allowed", "detail")


def counts_of(evidence: Evidence) -> dict[str, int]:
    """How much of each kind there was."""
    account = Account(evidence)
    return {
        "events": len(account.on_events),
        "requests": len(evidence.requests),
        "delivered": len(account.deliveries),
        "parked": len(account.parked),
        "notified": len(account.told),
        "commits": len(evidence.commits),
        "receipts": len(evidence.receipts),
        # The first generation is only the beginning.
        "rebalances": max(len(evidence.generations) - 1, 0),
        "worker runs": len(evidence.workers),
        "faults": sum(_faults_by_kind(evidence).values()),
    }


def as_text(folder: str, evidence: Evidence, findings: Sequence[Finding]) -> str:
    """The report of one run, for people."""
    run = evidence.run
    failed = sum(not finding.ok for finding in findings)
    verdict = f"{failed} of {len(findings)} checks FAILED" if failed else "all checks ok"
    counts = [f"{name} {count:,}" for name, count in counts_of(evidence).items()]
    kinds = [f"{kind} {count}" for kind, count in _faults_by_kind(evidence).items()]
    lines = [
        f"{run.scenario}, seed {run.seed}: {verdict}",
        f"  {folder}, {run.ended_at - run.began_at:.0f} s",
        f"  {', '.join(counts)}",
        f"  faults: {', '.join(kinds) or 'none'}",
        "",
        *_table(findings),
    ]
    return "\n".join(lines) + "\n"


def as_object(folder: str, evidence: Evidence, findings: Sequence[Finding]) -> dict[str, object]:
    """The same for programs."""
    run = evidence.run
    return {
        "folder": folder,
        "scenario": run.scenario,
        "seed": run.seed,
        "seconds": round(run.ended_at - run.began_at, 3),
        "ok": all(finding.ok for finding in findings),
        "counts": counts_of(evidence),
        "faults": _faults_by_kind(evidence),
        "findings": [asdict(finding) for finding in findings],
        "versions": dict(run.versions),
    }


def _faults_by_kind(evidence: Evidence) -> dict[str, int]:
    """Those that bit: the others have proved nothing."""
    return dict(sorted(Counter(one.kind for one in evidence.faults if one.bit).items()))


def _table(findings: Sequence[Finding]) -> list[str]:
    rows = [_HEADINGS, *map(_row, findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS) - 1)]
    lines = []
    for row, finding in zip(rows, (None, *findings), strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        lines.append(f"  {'  '.join([*cells, row[-1]])}")
        if finding is not None and not finding.ok:
            lines += [f"        {example}" for example in finding.examples]
    return lines


def _row(finding: Finding) -> tuple[str, ...]:
    verdict = "ok" if finding.ok else "FAIL"
    return finding.check, verdict, f"{finding.measured:,}", finding.allowed, finding.detail
