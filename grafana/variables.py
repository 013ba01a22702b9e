"""The variables that all dashboards have: what is chosen on one is kept on the way to another."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import DataSourceRef

#: Whatever datasource is chosen: none is named in a dashboard.
DATASOURCE: Final = DataSourceRef("prometheus", "${datasource}")
#: Not the list of what was found: a new worker belongs to "All" at once.
ALL: Final = ".+"
#: Where nobody said where: on the host of Grafana.
DEFAULT_RUNBOOKS: Final = "/docs/runbooks"


def variables(runbooks: str) -> list[Builder[model.VariableModel]]:
    """All of them, in the order in which they are shown."""
    return [
        dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"),
        _query("job", "Job", "pop_stream_build_info", "The workers' job."),
        _query("instance", "Instance", 'pop_stream_build_info{job=~"$job"}', "One worker each."),
        _query("topic", "Topic", "pop_stream_oldest_undelivered_timestamp_seconds", "As watched."),
        dashboard.TextBoxVariable("runbooks")
        .label("Runbooks at")
        .description("The address below which the pages of docs/runbooks are.")
        .default_value(runbooks)
        .current(model.VariableOption(text=runbooks, value=runbooks)),
    ]


def _query(name: str, label: str, series: str, text: str) -> dashboard.QueryVariable:
    query = f"label_values({series}, {name})"
    variable = dashboard.QueryVariable(name).label(label).description(text)
    variable.datasource(DATASOURCE).query(query).definition(query)
    variable.multi(True).include_all(True).all_value(ALL)
    variable.current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    return variable.sort(model.VariableSort.ALPHABETICAL_ASC)
