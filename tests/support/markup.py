"""Reads a page as a browser does, and as a strict reader would: nothing open, nothing twice."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "br", "hr", "link", "img", "input"})


@dataclass(frozen=True, slots=True)
class Element:
    """One element, with all the text in it."""

    name: str
    attributes: dict[str, str]
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, and that of the elements in it."""
        return "".join(self.texts)


class ReadPage(HTMLParser):
    """A page that was read. AssertionError when it is not well-formed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert [each.name for each in self._open] == [], "never closed"
        ids = [each.attributes["id"] for each in self.elements if "id" in each.attributes]
        assert len(ids) == len(set(ids)), "an id twice"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.texts.append(data)

    def named(self, *names: str) -> list[Element]:
        """The elements of these names, in their order."""
        return [each for each in self.elements if each.name in names]

    def text_of(self, name: str) -> str:
        """The text of the one element of this name."""
        (found,) = self.named(name)
        return found.text
