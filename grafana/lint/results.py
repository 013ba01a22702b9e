"""What a query gives: with which labels, and how many series at most."""

from math import inf, prod
from typing import Final

from grafana.lint.names import KNOWN, chosen
from grafana.lint.promql import AGGREGATIONS, Binary, Call, Literal, Node, Selector, selectors

_CHOOSING: Final = ("topk", "bottomk")


def labels_of(node: Node) -> frozenset[str]:
    """The labels that its series can have."""
    match node:
        case Literal():
            return frozenset()
        case Selector():
            series = KNOWN.get(node.metric)
            return frozenset(series.labels) if series else frozenset()
        case Binary():
            return labels_of(node.left) or labels_of(node.right)
        case Call():
            if node.name in AGGREGATIONS and node.name not in _CHOOSING:
                return frozenset(node.by or ())
            given = frozenset(label for each in node.arguments for label in labels_of(each))
            return given - {"le"} if node.name == "histogram_quantile" else given


def most_series(node: Node) -> float:
    """So many series at most; infinite where it depends on what there is."""
    match node:
        case Literal():
            return 1
        case Selector():
            return prod(_most_values(node, label) for label in labels_of(node))
        case Binary():
            left, right = most_series(node.left), most_series(node.right)
            return left if node.sign in ("and", "unless") else max(left, right)
        case Call():
            if node.name in _CHOOSING and isinstance(node.arguments[0], Literal):
                return float(node.arguments[0].text)
            if node.name in AGGREGATIONS:
                return prod(_most_of_all(node, label) for label in node.by or ())
            return max((most_series(each) for each in node.arguments), default=1)


def _most_of_all(node: Node, label: str) -> float:
    """Of the selectors in a node, those that have the label."""
    found = [each for each in selectors(node) if label in labels_of(each)]
    return max((_most_values(each, label) for each in found), default=1)


def _most_values(selector: Selector, label: str) -> float:
    if label == "le":
        return 1
    if any(m.label == label and m.sign == "=" for m in selector.matchers):
        return 1
    if KNOWN[selector.metric].values(label):
        return len(chosen(selector, label))
    return inf
