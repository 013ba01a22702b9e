"""The three agents: the mission, said in Faust."""

from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any

import faust
from faust.types import AppT, Message

from pop_stream.stream.abort import Abort
from pop_stream.stream.ledger import Run
from pop_stream.stream.record import KafkaRecord
from pop_stream.stream.work import Work

Runs = AsyncIterable[Run[KafkaRecord]]


class RunSchema(faust.Schema):  # type: ignore[type-arg]  # generic for mypy only
    """Hands a run to an agent as it is: nothing is decoded, so nothing can fail to decode."""

    def loads_key(self, app: AppT, message: Message, **_: Any) -> Any:  # noqa: ARG002
        """A run has no key."""
        return message.key

    def loads_value(self, app: AppT, message: Message, **_: Any) -> Any:  # noqa: ARG002
        """The run itself."""
        return message.value


def declare_agents(
    app: faust.App, *, topics: Mapping[str, str], work: Callable[[], Work], abort: Abort
) -> None:
    """Declare an agent for each stage that has a topic in `topics`.

    No exception leaves an agent: Faust would restart it over the hole.
    """

    async def forward(runs: Runs) -> None:
        """POST each event to GSTV; what fails goes to the retry topic."""
        async for run in runs:
            with abort.on_error("agent forward"):
                work().deliver(run)

    async def retry(runs: Runs) -> None:
        """POST each event again when it is due; without a retry left, to the failure topic."""
        async for run in runs:
            with abort.on_error("agent retry"):
                work().deliver_when_due(run)

    async def failure(runs: Runs) -> None:
        """Emit the failure notification of each event, and keep the event."""
        async for run in runs:
            with abort.on_error("agent failure"):
                work().notify(run)

    for agent in (forward, retry, failure):
        topic = topics.get(agent.__name__)
        if topic is not None:
            channel = app.topic(topic, schema=RunSchema(), acks=False)
            app.agent(channel, name=agent.__name__)(agent)
