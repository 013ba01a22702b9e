"""All checks on one run."""

from faults.checker import (
    commits,
    duplicates,
    failures,
    order,
    progress,
    receipts,
    safety,
    vacuity,
)
from faults.checker.account import Account
from faults.checker.causes import duplicates_of
from faults.checker.exposure import Exposures
from faults.checker.finding import Finding
from faults.evidence import Evidence


def judge(evidence: Evidence) -> tuple[Finding, ...]:
    """Make every check; none is ever skipped."""
    account = Account(evidence)
    exposures = Exposures(account)
    found = tuple(duplicates_of(account, exposures))
    read = receipts.read_receipts(evidence)
    return (
        safety.loss(account),
        safety.invention(account),
        safety.integrity(account),
        failures.silent_failure(account),
        failures.false_notification(account),
        failures.wrong_failure(account, exposures),
        commits.commit_safety(account),
        commits.commit_regressions(account),
        receipts.unproven_delivery(account, read),
        receipts.false_receipt(account, read),
        duplicates.duplicates(found),
        duplicates.duplicate_budget(found, exposures),
        order.order(account, exposures),
        progress.progress(account),
        progress.fresh_events(account),
        progress.quiescence(account),
        vacuity.enough_events(account),
        vacuity.whole_evidence(account),
        vacuity.faults_bit(account),
        vacuity.seen_at_least_once(account),
        safety.unacknowledged(account),
    )
