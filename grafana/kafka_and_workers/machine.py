"""How the workers and their machines are."""

from typing import Final

from grafana.alerts import LOOP_LAG_SECONDS, SATURATED_SHARE, Alert
from grafana.board import Row
from grafana.links import DELIVERY
from grafana.panels import GREEN, RED, Graph, Query, Timeline, word_for
from grafana.selectors import MOST, WORKER, at_workers, increase, quantile, workers, worst

_KNOWN: Final = f"last_over_time({workers('pop_stream_build_info')}[1d])"
_UP: Final = f"bottomk({MOST}, max by (instance) (up{{{WORKER}}} and on (job, instance) {_KNOWN}))"
_LOOP: Final = quantile(0.99, "pop_stream_event_loop_lag_seconds", by="le, instance")


def _process(expression: str) -> tuple[Query, ...]:
    """A metric of every process, of the workers that have most of it."""
    return (Query(worst(f"max by (instance) ({at_workers(expression)})"), "{{instance}}"),)


def _worker(expression: str) -> tuple[Query, ...]:
    return (Query(worst(f"max by (instance) ({expression})"), "{{instance}}"),)


def _rate(metric: str) -> str:
    return f"rate({workers(metric)}[$__rate_interval])"


MACHINE: Final = Row(
    300,
    "How are the workers and their machines?",
    (
        Timeline(
            id=301, title="Workers up", unit="short", width=8,
            text="Whether they answer Prometheus, those that do not first. Down: see whether the "
            "process lives, then its log for worker.aborted.",
            queries=(Query(_UP, "{{instance}}"),),
            words=(word_for(0, "down", RED), word_for(1, "up", GREEN)),
            alerts=(Alert.TARGET_DOWN, Alert.NO_WORKERS),
        ),
        Graph(
            id=302, title="Restarts", unit="short", width=8,
            text="Times that a worker began anew under the same address. More than deployments "
            "explain: it ends itself, and its log says why at worker.aborted.",
            queries=_process(f"changes({workers('process_start_time_seconds')}[$__rate_interval])"),
            alerts=(Alert.TARGET_DOWN,),
        ),
        Graph(
            id=303, title="Log records", unit="short", width=8,
            text="By level, from warning on. Errors name themselves; a level that rises with a "
            "graph above tells where to look in the log.",
            queries=(
                Query(
                    increase(
                        "pop_stream_log_messages_total", 'level=~"warning|error|critical"', "level"
                    ),
                    "{{level}}",
                ),
            ),
        ),
        Graph(
            id=304, title="Taken and not finished", unit="short", width=8,
            text="Events that a worker holds. Many more on one: it is slow or stuck. On the retry "
            "stage many only wait for their time.",
            queries=_worker(workers("pop_stream_unfinished_events")), leads_to=(DELIVERY,),
        ),
        Graph(
            id=305, title="How full attempts are", unit="percentunit", width=8,
            text="The share of a worker's allowed attempts that is under way. Above the line for "
            "long, with a backlog: GSTV or the limit is what holds us, not Kafka.",
            queries=_worker(
                f"{workers('pop_stream_in_flight_deliveries')}"
                f" / {workers('pop_stream_in_flight_limit')}"
            ),
            steps=((None, GREEN), (SATURATED_SHARE, RED)),
            leads_to=(DELIVERY,), alerts=(Alert.SATURATED,),
        ),
        Graph(
            id=306, title="Event loop late, p99", unit="s", width=8,
            text="How late the loop comes to a look that is due each second. Above the line: the "
            "worker is blocked or starved of CPU, and may leave the group.",
            queries=(Query(worst(_LOOP), "{{instance}}"),),
            steps=((None, GREEN), (LOOP_LAG_SECONDS, RED)), alerts=(Alert.LOOP_BLOCKED,),
        ),
        Graph(
            id=307, title="CPU, in cores", unit="none", width=6,
            text="A worker uses one core at most. Near 1 with a backlog: start more workers, up "
            "to the number of partitions.",
            queries=_process(_rate("process_cpu_seconds_total")), alerts=(Alert.LOOP_BLOCKED,),
        ),
        Graph(
            id=308, title="Memory", unit="bytes", width=6,
            text="Resident memory. It levels off once the room for unfinished events is used; a "
            "rise for days is a leak, tell the maintainers.",
            queries=_process(workers("process_resident_memory_bytes")),
        ),
        Graph(
            id=309, title="File descriptors used", unit="percentunit", width=6,
            text="The share of those allowed. Near 1: attempts end as exhausted; raise the limit "
            "(ulimit -n), or allow fewer attempts at once.",
            queries=_process(
                f"{workers('process_open_fds')} / {workers('process_max_fds')}"
            ),
        ),
        Graph(
            id=310, title="Garbage collections, and scrapes", unit="none", width=6,
            text="Collections a second of the busiest worker, and seconds that the slowest scrape "
            "takes. Scrapes that take seconds: the machine is overloaded.",
            queries=(
                Query(
                    f"max(sum by (job, instance) ({_rate('python_gc_collections_total')})"
                    f" and on (job, instance) {workers('pop_stream_build_info')})",
                    "collections a second",
                ),
                Query(
                    f"max({at_workers(f'scrape_duration_seconds{{{WORKER}}}')})",
                    "seconds of a scrape",
                ),
            ),
        ),
    ),
)  # fmt: skip
