"""What a worker or the watch shows to Prometheus, as a test reads it."""

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

#: Each sample by its name without `pop_stream_`, and the values of its labels in their order.
Samples = dict[tuple[str, ...], float]


def samples_of(text: str) -> Samples:
    """Read a page of metrics."""
    return {
        (sample.name.removeprefix("pop_stream_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def page_at(port: int) -> str:
    """The page of metrics that is served at a port of this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return str(answer.read().decode())
