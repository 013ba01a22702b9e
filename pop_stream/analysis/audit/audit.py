"""Walks the players' topic and accounts for each offset, by commits and by the other topics."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeAlias

from pop_stream.analysis.audit.commits import Commits, read_commits
from pop_stream.analysis.audit.doubts import Doubt, doubts_of
from pop_stream.analysis.audit.elsewhere import Elsewhere
from pop_stream.analysis.audit.partition_account import Bounds, PartitionAccount
from pop_stream.analysis.audit.proofs import Proofs, Proven, read_proofs
from pop_stream.analysis.audit.receipts import Receipt, require_same_cluster
from pop_stream.analysis.audit.sendings import ReceiptAccount, Sendings
from pop_stream.analysis.audit.whereabouts import Outcome
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.period import Stored
from pop_stream.analysis.roles import Role, roles_of
from pop_stream.analysis.scan import Span, Stage, Topics, kept_since
from pop_stream.errors import UsageError
from pop_stream.pop.trail import player_pop_id
from pop_stream.settings import Settings

#: Is given each record that is walked, its id, and what became of it.
Take: TypeAlias = Callable[[EventView, str, Outcome], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which offsets are to be accounted for, of each partition."""

    #: Empty: all.
    partitions: frozenset[int] = frozenset()
    begin: int = 0
    #: An offset, the end of the partition, or what the group has committed.
    end: int | Literal["end", "commit"] = "commit"
    #: Instead: from the first record that was stored then, to before the first stored then.
    stored: Stored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What became of the offsets that were asked for."""

    partitions: Sequence[PartitionAccount]
    doubts: Sequence[Doubt]
    #: What the group's commits say; read before anything else.
    commits: Commits
    #: Where the events are that receipts say were sent back.
    receipts: Sequence[ReceiptAccount] = ()
    #: What delivery receipts prove; None: there are none, or nobody asked.
    proven: Proven | None = None

    @property
    def total(self) -> Counter[Outcome]:
        """How many offsets there are of each outcome."""
        return sum((each.counts for each in self.partitions), Counter[Outcome]())

    @property
    def holes(self) -> int:
        """How many offsets have no outcome, and nobody has settled that."""
        total = self.total
        return total[Outcome.GONE] + total[Outcome.MISSING]

    @property
    def lost(self) -> int:
        """How many events are missing that receipts say were sent back."""
        return sum(each.counts[Outcome.MISSING] for each in self.receipts)


def audit(
    settings: Settings,
    asked: Asked,
    *,
    stage: Stage,
    take: Take | None = None,
    receipts: Sequence[Receipt] = (),
    wants_proofs: bool = False,
) -> Audit:
    """Account for each offset that is asked for, and for each event of the receipts of redrives.

    With `wants_proofs` also for each delivery, by the workers' own receipts.

    Raises UsageError for partitions that are not there and for a receipt of another cluster,
    WorkFailedError when the audit itself goes wrong, and what `Topics.read` does.
    """
    roles = roles_of(settings)
    others = (settings.settled_topic, settings.retry_topic, settings.failure_topic)
    with Topics(settings) as topics, Sendings(receipts) as sendings:
        require_same_cluster(receipts, topics)
        # First: what is committed by then has left all that it will ever leave on other topics.
        commits = read_commits(settings)
        mine = topics.spans([settings.events_topic])
        spans = {topic: topics.spans([topic]) for topic in others}
        bounds = _bounds(topics, mine, asked, commits)
        elsewhere = Elsewhere(commits, roles, sendings)
        first_stored = _read_others(topics, spans, roles, elsewhere, stage)
        accounts = _accounts(bounds, settings.events_topic, commits, elsewhere)
        to_walk = _to_walk(bounds, settings.events_topic)
        proofs = read_proofs(topics, settings, to_walk, stage=stage) if wants_proofs else None
        with stage("walking events") as progress:
            walk = topics.read(to_walk, progress=progress)
            oldest = _walk(walk, accounts, elsewhere, take, proofs)
        sent = sendings.accounts(elsewhere.settled, elsewhere.retry_kept_since)
    doubts = doubts_of(chain(mine, *spans.values()), roles, commits, elsewhere.holes, first_stored)
    since = _since(oldest, bounds, receipts)
    return Audit(
        partitions=list(accounts.values()),
        doubts=[each for each in doubts if each.concerns(since)],
        commits=commits,
        receipts=sent,
        proven=None if proofs is None else proofs.found,
    )


def _bounds(topics: Topics, spans: Sequence[Span], asked: Asked, commits: Commits) -> list[Bounds]:
    if unknown := asked.partitions - {each.partition for each in spans}:
        raise UsageError(f"there is no partition {', '.join(map(str, sorted(unknown)))}")
    begins, ends = _by_time(topics, spans, asked.stored)
    bounds = []
    for span in spans:
        if asked.partitions and span.partition not in asked.partitions:
            continue
        if asked.end == "end" or (asked.stored is not None and asked.stored.end is not None):
            end = span.end
        elif asked.end == "commit":
            committed = commits.of(span.topic, span.partition).committed
            # What was deleted beyond the commit belongs to the account, too.
            end = 0 if committed is None else max(committed, span.begin)
        else:
            end = asked.end
        begin = begins.get(span.partition, asked.begin)
        # What is committed may be beyond the end of a topic that was made anew.
        end = max(min(end, span.end, ends.get(span.partition, end)), begin)
        bounds.append(Bounds(span.partition, begin, end, span.begin))
    return bounds


def _by_time(
    topics: Topics, spans: Sequence[Span], stored: Stored | None
) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """The offsets of the first records that were stored when a time begins, and when it ends."""
    if stored is None:
        return {}, {}

    def first(moment: int | None) -> dict[int, int]:
        if moment is None:
            return {}
        found = topics.spans([spans[0].topic], Stored(moment))
        return {each.partition: each.begin for each in found}

    return first(stored.begin), first(stored.end)


def _read_others(
    topics: Topics,
    spans: Mapping[str, Sequence[Span]],
    roles: Mapping[str, Role],
    elsewhere: Elsewhere,
    stage: Stage,
) -> Mapping[tuple[str, int], int]:
    """Read all other topics; when the first record was stored that each partition keeps."""
    first_stored: dict[tuple[str, int], int] = {}
    for topic, its_spans in spans.items():
        with stage(f"reading {roles[topic]}") as progress:
            for events in topics.read(its_spans, progress=progress):
                for event in events:
                    first_stored.setdefault((event.topic, event.partition), event.timestamp)
                    elsewhere.take(event)
        if roles[topic] is Role.RETRY:
            elsewhere.retry_kept_since = kept_since(its_spans, first_stored)
    return first_stored


def _accounts(
    bounds: Sequence[Bounds], topic: str, commits: Commits, elsewhere: Elsewhere
) -> dict[int, PartitionAccount]:
    return {
        each.partition: PartitionAccount(
            each,
            commits.of(topic, each.partition),
            elsewhere.known.get(each.partition),
            holes=[hole for hole in elsewhere.holes
                   if (hole.topic, hole.partition) == (topic, each.partition)],
        )
        for each in bounds
    }  # fmt: skip


def _to_walk(bounds: Sequence[Bounds], topic: str) -> list[Span]:
    return [
        Span(topic, each.partition, max(each.begin, each.kept_from), each.end) for each in bounds
    ]


def _since(oldest: int | None, bounds: Sequence[Bounds], receipts: Sequence[Receipt]) -> int | None:
    """When the oldest was stored that the audit tells of, in epoch milliseconds; None: unknown."""
    is_cut = any(each.begin < min(each.kept_from, each.end) for each in bounds)
    if oldest is None or is_cut:
        return None
    return min([oldest, *(receipt.since_ms for receipt in receipts)])


def _walk(
    read: Iterator[list[EventView]],
    accounts: Mapping[int, PartitionAccount],
    elsewhere: Elsewhere,
    take: Take | None,
    proofs: Proofs | None,
) -> int | None:
    """Count each record; when the oldest was stored, in epoch milliseconds."""
    oldest: int | None = None
    strays = elsewhere.strays
    for events in read:
        for event in events:
            partition, offset = event.partition, event.offset
            stray, pop_id = None, ""
            if take is not None or strays:
                pop_id = player_pop_id(event.headers, event.topic, partition, offset)
                stray = strays.get(pop_id)
            outcome = accounts[partition].take(offset, stray)
            if take is not None:
                take(event, pop_id, outcome)
            if proofs is not None and outcome is Outcome.DELIVERED:
                proofs.judge(event)
            if oldest is None or event.timestamp < oldest:
                oldest = event.timestamp
    for account in accounts.values():
        account.finish()
    return oldest
