"""A model of GSTV: what it was sent, what it took, and what it answered."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from pop_stream.gstv.client import GstvClient
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.stream.claim import Claim
from tests.simulation.clock import TIME

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

#: What the worker is told, by the name of the ending; the partner has taken the event or not.
TAKEN: Final[dict[str, Outcome]] = {
    "success": Answer(200),
    "taken-timeout": NoAnswer(Trouble.TIMEOUT, sent=True),
    "taken-reset": NoAnswer(Trouble.RESET, sent=True),
    "taken-500": Answer(500),
}
NOT_TAKEN: Final[dict[str, Outcome]] = {
    "500": Answer(500),
    "422": Answer(422),
    "404": Answer(404),
    "429": Answer(429),
    "429-after": Answer(429, "2"),
    "503-after": Answer(503, "1"),
    "401": Answer(401),
    "refused": NoAnswer(Trouble.CONNECT, sent=False),
    "tls": NoAnswer(Trouble.TLS, sent=False),
    "timeout": NoAnswer(Trouble.TIMEOUT, sent=True),
    "bad-response": NoAnswer(Trouble.BAD_RESPONSE, sent=True),
}
#: The worker gives up while the request is still on its way: GSTV may take it later.
STRAY: Final = "stray-timeout"
#: GSTV takes the event, and answers another time.
LATER: Final = "later"
POST_ENDS: Final = (*TAKEN, *NOT_TAKEN, STRAY, LATER)
#: Endings after which the attempt does not count.
UNCOUNTED: Final = frozenset(("429", "429-after", "503-after", "401", "refused", "tls"))
_IS_KNOWN: Final = Answer(409)


@dataclass(slots=True, eq=False)
class Post:
    """One POST on its way. It outlives the worker that sent it."""

    worker: "Worker"
    claim: Claim
    body: bytes
    pop_id: str
    attempt: int
    #: GSTV has taken the event.
    taken: bool = False
    #: Nobody waits for the answer any more: the worker is gone, or gave up.
    is_stray: bool = False


class Partner:
    """What GSTV knows."""

    def __init__(self) -> None:
        self.open: list[Post] = []
        #: How often each event was taken.
        self.taken: Counter[str] = Counter()

    def take(self, post: Post) -> bool:
        """Take the event of a post. Returns whether it is new to GSTV."""
        post.taken = True
        self.taken[post.pop_id] += 1
        return self.taken[post.pop_id] == 1


class Client:
    """Stands in for the HTTP client of one worker."""

    def __init__(self, worker: "Worker", max_in_flight: int) -> None:
        self._worker = worker
        self._max_in_flight = max_in_flight
        self._posts: list[Post] = []
        #: How each post ended of which the worker was told and has not settled it.
        self.ended: dict[Claim, str] = {}
        self._on_outcome: Any = None
        self._closed = False
        self.worked = 0
        self.worked_seconds = 0.0

    def make(self, on_outcome: Any) -> GstvClient[Claim]:
        """What the forwarder takes for its client."""
        self._on_outcome = on_outcome
        return cast(GstvClient[Claim], self)

    @property
    def room(self) -> int:
        return 0 if self._closed else self._max_in_flight - len(self._posts)

    @property
    def in_flight(self) -> int:
        return len(self._posts)

    def post(
        self,
        token: Claim,
        body: bytes,
        pop_id: str,
        attempt: int,
        traceparent: str | None = None,  # noqa: ARG002 - no traces here
    ) -> float:
        """Start a POST."""
        if self.room <= 0:
            raise RuntimeError("the client is full or closed")
        post = Post(self._worker, token, body, pop_id, attempt)
        self._posts.append(post)
        self._worker.world.posted(post)
        return TIME.monotonic()

    def tell(self, post: Post, outcome: Outcome, how: str) -> None:
        """Tell the worker what became of a post: when its loop comes to it."""
        self._worker.loop.call_soon(self._ended, post, outcome, how)

    def _ended(self, post: Post, outcome: Outcome, how: str) -> None:
        if post not in self._posts:
            return  # it was closed meanwhile
        self._posts.remove(post)
        self.worked += 1
        self.worked_seconds += 0.01
        self._worker.world.witness.telling(post)
        self.ended[post.claim] = how
        self._on_outcome(post.claim, outcome)

    async def aclose(self) -> None:
        """End all posts; those that are on their way may reach GSTV all the same."""
        self._closed = True
        posts, self._posts = self._posts, []
        for post in posts:
            post.is_stray = True
            self._on_outcome(post.claim, NoAnswer(Trouble.CLOSED, sent=True))


def known_or(outcome: Outcome, *, is_new: bool) -> Outcome:
    """GSTV answers 409 to what it has already: a success too."""
    return outcome if is_new else _IS_KNOWN
