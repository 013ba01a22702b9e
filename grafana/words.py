"""Words and colours for values, as Grafana has them."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models import dashboard as model

from grafana.panels import Steps, Word


def thresholds(steps: Steps) -> ThresholdsConfig:
    """Colours by value."""
    config = ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE)
    return config.steps([model.Threshold(value, color) for value, color in steps])


def mappings(words: Sequence[Word]) -> list[model.ValueMapping]:
    """Words instead of values."""
    return [_mapping(index, word) for index, word in enumerate(words)]


def _mapping(index: int, word: Word) -> model.ValueMapping:
    result = model.ValueMappingResult(text=word.text, color=word.color, index=index)
    if word.least is None:
        nan = model.DashboardSpecialValueMapOptions(model.SpecialValueMatch.NA_N, result)
        return model.SpecialValueMap(nan)
    if word.least == word.most:
        return model.ValueMap({f"{word.least:g}": result})
    return model.RangeMap(model.DashboardRangeMapOptions(word.least, word.most, result))
