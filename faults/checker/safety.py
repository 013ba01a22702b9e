"""Nothing is lost, nothing is invented, nothing is altered."""

from collections.abc import Iterator

from faults.checker.account import Account, id_of, place_of
from faults.checker.finding import Finding, counted, some


def loss(account: Account) -> Finding:
    """Every event that Kafka has, or told its player it had, was delivered or is parked.

    Lost = (ids confirmed to a player, and ids on the events topic)
    - (ids delivered, and ids on the failure topic).
    """
    kept = account.acked.keys() | account.on_events.keys()
    lost = sorted(kept - account.deliveries.keys() - account.parked.keys())
    by_kafka = sum(pop_id not in account.on_events for pop_id in lost)
    detail = f"{len(kept):,} events had to have an outcome"
    if by_kafka:
        detail += f"; {by_kafka:,} of the lost were confirmed and are not on the events topic"
    return Finding(
        check="loss",
        ok=not lost,
        measured=len(lost),
        allowed="0",
        detail=detail,
        examples=some(lost),
    )


def unacknowledged(account: Account) -> Finding:
    """What a player meant to send, and the broker never had: still the player's. Always ok."""
    waiting = sorted(account.produced.keys() - account.acked.keys() - account.on_events.keys())
    return Finding(
        check="unacknowledged",
        ok=True,
        measured=len(waiting),
        allowed="any",
        detail=f"of {counted(len(account.produced), 'produced event')}",
        examples=some(waiting),
    )


def invention(account: Account) -> Finding:
    """Whatever was asked of GSTV or stands on a topic is an event that a player produced.

    The players write an event down before they send it, so there is no excuse. A request or a
    record without an id counts too.
    """
    invented: dict[str, int] = {}
    for pop_id, where in _all_ids(account):
        if pop_id not in account.produced:
            name = f"{pop_id or 'without an id'} ({where})"
            invented[name] = invented.get(name, 0) + 1
    return Finding(
        check="invention",
        ok=not invented,
        measured=sum(invented.values()),
        allowed="0",
        detail=f"{len(account.evidence.requests) + len(account.evidence.records):,} "
        "requests and records looked at",
        examples=some(sorted(invented)),
    )


def integrity(account: Account) -> Finding:
    """Each request's body, and each record's value and key, are those that the player produced.

    Records: those on the events, retry and failure topics. What no player produced is an
    invention, and not judged here.
    """
    altered = sorted(_altered(account))
    return Finding(
        check="integrity",
        ok=not altered,
        measured=len(altered),
        allowed="0",
        detail="sha256 of every body and value, and every key",
        examples=some(altered),
    )


def _all_ids(account: Account) -> Iterator[tuple[str, str]]:
    for request in account.evidence.requests:
        yield request.id or "", "a request"
    for record in account.evidence.records:
        yield id_of(record), f"on {record.topic}"


def _altered(account: Account) -> Iterator[str]:
    for request in account.evidence.requests:
        event = account.produced.get(request.id or "")
        if event is not None and event.sha256 != request.sha256:
            yield f"{event.id} (a request)"
    for role in ("events", "retry", "failure"):
        for record in account.topics[role]:
            event = account.produced.get(id_of(record))
            if event is not None and (event.sha256, event.key) != (record.sha256, record.key):
                what = "key" if event.sha256 == record.sha256 else "value"
                yield f"{event.id} ({what} at {place_of(record)})"
