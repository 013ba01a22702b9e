"""What a check found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    rule: str
    #: The dashboard's uid.
    board: str
    #: The panel's title, or what else it is about: a variable, an annotation.
    panel: str = ""
    #: The one thing that an exception could be made for: a metric, say.
    about: str = ""
    message: str

    def __str__(self) -> str:
        return f"{self.board} / {self.panel or '-'}: {self.rule}: {self.message}"
