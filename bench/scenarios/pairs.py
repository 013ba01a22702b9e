"""pop-stream with something, beside pop-stream without it."""

from dataclasses import replace

from bench.scenario import COSTS, Choice, Row, Scenario, times_the_cpu
from bench.variants import Behaviour, Variant

_EVENTS = 100_000
#: What a pair differs in is less than what one minute differs from the next.
_ROUNDS = 5


def failing(choice: Choice) -> Scenario:
    """Scenario d."""
    without = Variant(
        topic=choice.topic(_EVENTS),
        settings=(("retry_backoff_seconds", "0.2"),),
        writes=True,
        until=1.0,
        most_seconds=120.0,
    )
    scenario = _pair(
        title="a tenth of the events fail at their first attempt",
        rows={
            "none fails": without,
            "a tenth fails": replace(without, behaviour=Behaviour(fails_first_share=0.1)),
        },
        limit=1.6,
        notes=[
            (
                "The first attempt gets a 500 and the retry a 200. It comes over the retry topic,"
                " after 0.2 s instead of 1 s. Measured until the last retry is delivered; CPU is"
                " that of a delivered event."
            )
        ],
    )
    return replace(scenario, columns=("failed_share", *COSTS))


def https(choice: Choice) -> Scenario:
    """Scenario e."""
    without = Variant(topic=choice.topic(_EVENTS))
    return _pair(
        title="https instead of http",
        rows={"http": without, "https": replace(without, behaviour=Behaviour(https=True))},
        limit=2,
        notes=[
            (
                "The certificate (P-256) and its CA are made for the run. Connections are kept, so"
                " handshakes are few."
            )
        ],
    )


def ordered(choice: Choice) -> Scenario:
    """Scenario g."""
    without = Variant(topic=choice.topic(_EVENTS))
    return _pair(
        title="the events of a screen in their order",
        rows={
            "order=none": without,
            "order=screen": replace(without, settings=(("order", "screen"),)),
        },
        limit=None,
        notes=["Events of 6,000 screens take turns, so none has to wait for the one before."],
    )


def receipts(choice: Choice) -> Scenario:
    """Scenario h."""
    without = Variant(topic=choice.topic(_EVENTS), settings=(("receipts", "off"),), writes=True)
    return _pair(
        title="a receipt for each delivery",
        rows={
            "receipts=off": without,
            "receipts=on": replace(without, settings=(("receipts", "on"),)),
        },
        limit=1.08,
    )


def _pair(
    *,
    title: str,
    rows: dict[str, Variant],
    limit: float | None,
    notes: list[str] | None = None,
    minutes: float = 2,
) -> Scenario:
    base, other = rows
    return Scenario(
        title=title,
        rows=[Row(name=name, variant=variant, base=base) for name, variant in rows.items()],
        columns=COSTS,
        bars=[times_the_cpu("times the CPU", other, base, limit)] if limit else [],
        rounds=_ROUNDS,
        notes=notes or [],
        minutes=minutes,
    )
