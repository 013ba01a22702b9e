"""What runs where."""

from typing import Final

from grafana.board import Row
from grafana.panels import Column, Query, Table
from grafana.selectors import workers

VERSIONS: Final = Row(
    400,
    "What runs where?",
    (
        Table(
            id=401, title="Workers", unit="short", width=16, height=8,
            text="What each worker is, and the settings that tell workers apart. Differing "
            "versions or settings: a deployment is under way, or was left half done.",
            queries=(
                Query(workers("pop_stream_build_info")),
                Query(workers("pop_stream_config_info")),
                Query(workers("pop_stream_retry_limit")),
                Query(workers("pop_stream_http_timeout_seconds")),
            ),
            columns=(
                Column(of="instance"), Column(of="version"), Column(of="group"),
                Column(of="stages"), Column(of="order"), Column(of="in_flight"),
                Column(of="C", title="Retries", unit="none"),
                Column(of="D", title="Longest attempt", unit="s"),
                Column(of="python"), Column(of="faust"), Column(of="aiokafka"),
            ),
            sorted_by="instance", descending=False, nothing="no worker",
        ),
        Table(
            id=402, title="Watches", unit="short", width=8, height=8,
            text="What each pop-stream watch is. None: nobody sees what is owed; start one, apart "
            "from the workers. More than one does no harm.",
            queries=(Query("pop_stream_watch_build_info"),),
            columns=(
                Column(of="instance"), Column(of="version"), Column(of="python"),
                Column(of="aiokafka"),
            ),
            sorted_by="instance", descending=False, nothing="not watched",
        ),
    ),
)  # fmt: skip
