"""What a scenario is: data. How its actions are carried out stands in `faults/perform.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from faults.proxy_faults import Fault as ProxyFault

#: A broker by its id, or by what it does for the run just then.
BrokerChoice = int | Literal["leader", "coordinator"]
#: What a proxy stands on: all brokers, one of them, or the way to GSTV.
Link = Literal["brokers", "broker-1", "broker-2", "broker-3", "gstv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KillWorker:
    """`kill -9`; its supervisor starts another."""

    at: float
    worker: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWorker:
    """SIGTERM, as at a deployment; its supervisor starts another."""

    at: float
    worker: int = 1
    #: Kill it so many seconds later, in the middle of its drain; None: let it end.
    kill_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseWorker:
    """SIGSTOP, and SIGCONT later: a machine that swaps, or was suspended. A zombie, then."""

    at: float
    seconds: float
    worker: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KillBrokers:
    """`kill -9` of brokers, which start again later with what they have on disk."""

    at: float
    down_seconds: float
    brokers: Sequence[BrokerChoice]
    #: End them in order instead.
    clean: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseBrokers:
    """SIGSTOP of brokers: they hold their connections and say nothing."""

    at: float
    seconds: float
    brokers: Sequence[BrokerChoice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A fault of a link between the workers and somebody."""

    at: float
    seconds: float
    link: Link
    fault: ProxyFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehave:
    """Rules that GSTV goes by meanwhile (`pop-stream gstv mock --help`)."""

    at: float
    seconds: float
    rules: Sequence[object]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KillGstv:
    """`kill -9` of the partner's server, which comes back on its port."""

    at: float
    down_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFiles:
    """Let a worker open no more files than it has open now."""

    at: float
    seconds: float
    worker: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseWrites:
    """Let Kafka refuse every record for a topic, by its role."""

    at: float
    seconds: float
    topic: Literal["retry", "failure", "notifications", "receipts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectEnd:
    """A worker that has got stuck must notice it, and end by itself."""

    at: float
    within_seconds: float = 60.0
    worker: int = 1


Action = (
    KillWorker
    | StopWorker
    | PauseWorker
    | KillBrokers
    | PauseBrokers
    | Cut
    | Misbehave
    | KillGstv
    | LimitFiles
    | RefuseWrites
    | ExpectEnd
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row of the fault table, or several that one run can show."""

    name: str
    #: The rows of the fault table that it plays.
    rows: str
    title: str
    actions: Sequence[Action]
    #: How long players send, at least; it goes on until the last action is over.
    seconds: float = 12.0
    events_per_second: float = 400.0
    workers: int = 2
    screens: int = 40
    #: The part of all records that is no event.
    bad_share: float = 0.0
    #: Further settings of the workers, by name.
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    recovery_seconds: float = 30.0
    must_have: tuple[str, ...] = ("retry", "parked")
    #: The part of the faults that need not bite.
    idle_share: float = 0.0
    #: GSTV's rules while nothing else is asked for; None: a little of everything.
    rules: Sequence[object] | None = None
    #: A defect of `faults/planted.py` that befalls the first worker once, some seconds after its
    #: start.
    befalls: str | None = None
    #: Takes so long that it is played only when asked for.
    long: bool = False

    @property
    def strikes_kafka(self) -> bool:
        """Whether brokers, or the way to them, are struck: for everybody, that is."""
        return any(
            isinstance(one, KillBrokers | PauseBrokers)
            or (isinstance(one, Cut) and one.link != "gstv")
            for one in self.actions
        )


#: A few events are bad for good, and some fail once: each run has retries, and parked events.
USUAL_RULES: Sequence[object] = (
    {"when": {"share": [0, 0.01]}, "then": {"status": 422}},
    {"when": {"share": [0.01, 0.06], "nth": "<=1"}, "then": {"status": 503}},
    {"then": {"delay": [0, 0.03]}},
)

#: Half of all events fail once: there is always something to hand on to the retry topic.
HALF_FAIL_ONCE: Sequence[object] = (
    {"when": {"share": [0, 0.01]}, "then": {"status": 422}},
    {"when": {"share": [0.01, 0.5], "nth": "<=1"}, "then": {"status": 503}},
)
