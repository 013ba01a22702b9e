"""Who takes the POSTs: nginx where it is installed and can do it, else the mock of GSTV."""

import http.client
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from bench.certificates import Certificates, make_certificates
from bench.children import Child, Command, running
from bench.measure import tree_usage
from bench.mocks import Share
from bench.nginx import REFUSAL, Nginx, Ports, can_play, find_nginx, nginx_config, refusals
from bench.variants import Behaviour
from pop_stream import __version__

_ROOT = Path(__file__).parent.parent
_READY_SECONDS = 15.0
_POLL_SECONDS = 0.02
#: As many as there are cores on the smallest machine that is meant.
_MOCKS = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """A receiver that can be had here."""

    name: str
    version: str
    #: What else there is to say of it.
    how: str
    #: None for the mock.
    nginx: Nginx | None
    processes: int = 1

    def __str__(self) -> str:
        """For people."""
        return f"{self.name} {self.version}, {self.how}"


@dataclass(frozen=True, slots=True)
class Count:
    """How many POSTs it has answered."""

    delivered: int
    #: With 500.
    failed: int


class Receiver:
    """A receiver that listens on 127.0.0.1, and says how many events it has taken."""

    def __init__(
        self, url: str, children: Sequence[Child], count: Callable[[], Count], ledger: Path
    ) -> None:
        self.url = url
        #: What its certificate is checked against, with https.
        self.ca: Path | None = None
        #: Where it notes when each event came, if it does.
        self.ledger = ledger
        #: Tells how many POSTs it has answered so far.
        self.count = count
        self._children = children

    @property
    def cpu_seconds(self) -> float:
        """What it has used so far."""
        return sum(tree_usage(child.pid).cpu_seconds for child in self._children)

    def check(self) -> None:
        """Raise WorkFailedError when it has ended."""
        for child in self._children:
            child.check()


def find_receiver(behaviour: Behaviour) -> Kind:
    """Choose the receiver for what the partner does."""
    nginx = find_nginx()
    if nginx is not None and can_play(nginx, behaviour):
        how = "one process"
        if behaviour.answers_after_seconds:
            how += ", with its module echo"
        return Kind("nginx", nginx.version, how, nginx)
    # A ledger of several processes would be several ledgers.
    processes = 1 if behaviour.keeps_ledger else _MOCKS
    how = "one process" if processes == 1 else f"{processes} processes"
    return Kind("pop-stream gstv mock", __version__, how, None, processes)


@contextmanager
def receiving(behaviour: Behaviour, *, folder: Path) -> Iterator[Receiver]:
    """Run a receiver, its count at 0, for the time of the block."""
    kind = find_receiver(behaviour)
    tls = make_certificates(folder) if behaviour.https else None
    with ExitStack() as stack:
        if kind.nginx is not None:
            receiver = _start_nginx(stack, kind.nginx, behaviour, folder, tls)
        else:
            receiver = _start_mocks(stack, kind.processes, behaviour, folder, tls)
        receiver.ca = tls.ca if tls else None
        yield receiver


def rules_of(behaviour: Behaviour) -> list[object]:
    """The rules of the mock."""
    rules: list[object] = []
    then: dict[str, object] = {}
    if behaviour.answers_after_seconds:
        then["delay"] = behaviour.answers_after_seconds
    if behaviour.fails_first_share:
        # By the header, not by what it has seen: a retry may come to another process.
        first = {"share": behaviour.fails_first_share, "header": {"X-Pop-Attempt": "1"}}
        rules.append({"when": first, "then": {"status": 500, **then}})
    if then:
        rules.append({"then": then})
    return rules


def _start_nginx(
    stack: ExitStack, nginx: Nginx, behaviour: Behaviour, folder: Path, tls: Certificates | None
) -> Receiver:
    ports = Ports(*_free_ports(2))
    config = folder / "nginx.conf"
    config.write_text(nginx_config(nginx, behaviour, ports, folder, tls))
    argv = [nginx.path, "-c", str(config), "-e", "stderr", "-p", str(folder)]
    child = stack.enter_context(running("receiver", Command(argv, {}), folder=folder))
    _wait_until_it_listens(child, ports.events)
    counter = stack.enter_context(closing(_NginxCounter(ports.stats, refusals(folder))))
    url = f"{'https' if tls else 'http'}://127.0.0.1:{ports.events}/pops"
    return Receiver(url, [child], counter.count, folder / "none")


def _start_mocks(
    stack: ExitStack, processes: int, behaviour: Behaviour, folder: Path, tls: Certificates | None
) -> Receiver:
    port, *own_ports = _free_ports(1 + processes)
    ledger = folder / "gstv.ndjson"
    children = []
    for number, own_port in enumerate(own_ports, 1):
        share = Share(
            port=port,
            own_port=own_port,
            rules=rules_of(behaviour),
            ledger=str(ledger) if behaviour.keeps_ledger else None,
            certificate=str(tls.certificate) if tls else None,
            key=str(tls.key) if tls else None,
        )
        argv = [sys.executable, "-m", "bench.mocks", orjson.dumps(asdict(share)).decode()]
        command = Command(argv, {"PYTHONPATH": str(_ROOT)})
        children.append(stack.enter_context(running(f"receiver-{number}", command, folder=folder)))
    for child, own_port in zip(children, own_ports, strict=True):
        _wait_until_it_listens(child, own_port)
    counter = stack.enter_context(closing(_MocksCounter(own_ports)))
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/pops"
    return Receiver(url, children, counter.count, ledger)


class _NginxCounter:
    def __init__(self, port: int, refused: Path) -> None:
        self._connection = _connect(port)
        self._refused = refused
        self._asked = 0

    def count(self) -> Count:
        text = _get(self._connection, "/")
        # "server accepts handled requests\n 7 7 123 \n": all requests, this one too.
        self._asked += 1
        failed = self._refusals()
        return Count(int(text.split()[9]) - self._asked - failed, failed)

    def close(self) -> None:
        self._connection.close()

    def _refusals(self) -> int:
        try:
            return self._refused.stat().st_size // len(REFUSAL)
        except FileNotFoundError:
            return 0


class _MocksCounter:
    def __init__(self, ports: Sequence[int]) -> None:
        self._connections = [_connect(port) for port in ports]

    def count(self) -> Count:
        stats = [orjson.loads(_get(each, "/__mock__/stats")) for each in self._connections]
        decided = [one["by_decision"] for one in stats]
        return Count(
            delivered=sum(one.get("200", 0) for one in decided),
            failed=sum(one.get("500", 0) for one in decided),
        )

    def close(self) -> None:
        for each in self._connections:
            each.close()


def _connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=_READY_SECONDS)


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        # All are held until all are found: else the same one could be found twice.
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in free]


def _wait_until_it_listens(child: Child, port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        child.check()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            if time.monotonic() > deadline:
                raise child.failure("does not listen") from None
            time.sleep(_POLL_SECONDS)
        else:
            return
